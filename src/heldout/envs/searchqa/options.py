"""What of a source only SearchQA reads: `--set source.options.searchqa.single_answer=true`."""

from dataclasses import dataclass

from heldout.addresses import SERVERS, without_credentials
from heldout.config import Source, with_options
from heldout.errors import BadCall


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQAOptions:
    """SearchQA's options."""

    single_answer: bool = False
    """The first answer ends the episode, as in Search-R1; else the agent may guess again, as in the paper."""
    retriever: str = ""
    """Real questions: the address of a service that is searched, such as http://localhost:8000; empty is BM25."""
    corpus: str = ""
    """Real questions: another file of passages than HELDOUT_DATA's."""
    questions: str = ""
    """Another file of questions than HELDOUT_DATA's."""

    def __post_init__(self) -> None:
        if (shown := without_credentials(self.retriever)) != self.retriever:
            raise BadCall(
                "source.options.searchqa.retriever is kept with what was played, so it has no password and no "
                f"query: give {shown} there, and the whole address in {SERVERS}"
            )


def options_of(source: Source) -> SearchQAOptions:
    """What a source sets of them, beside the defaults."""
    return with_options(SearchQAOptions(), source, "searchqa")
