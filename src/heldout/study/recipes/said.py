"""A study whose chains the call itself says: `heldout study run --chains "textcraft > webshop" …`."""

from heldout.chains import chain_name
from heldout.errors import BadCall
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.chains import along, names_in
from heldout.study.recipes.demo import ENVS
from heldout.study.recipes.measuring import measured_in
from heldout.study.recipes.questions import cells_of, change, endpoint


def said(asked: Asked) -> Study:
    """The chains that were asked, measured in the five environments and their own unless others are named.

    Its questions: what each is worth on average where it did not train.
    """
    if not asked.chains:
        raise BadCall('name a recipe, or say chains such as --chains "textcraft > webshop" "textcraft+webshop"')
    envs = asked.envs or tuple(dict.fromkeys((*ENVS, *names_in(asked.chains))))
    return Study(
        name=asked.name,
        base=asked.model,
        chains=along(asked.chains, asked.every, asked.config),
        seeds=asked.seeds or (0,),
        measured=measured_in(asked, envs, controls=True),
        config=asked.config,
        endpoints=tuple(
            endpoint(f"{chain_name(chain)}, held out", change((), chain, cells_of(out, asked.pooled)), "")
            for chain in asked.chains
            if (out := [env for env in envs if env not in names_in([chain])])
        ),
    )
