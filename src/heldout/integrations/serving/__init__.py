"""What all servers share: where they listen, who may call them, and what a call may take."""
