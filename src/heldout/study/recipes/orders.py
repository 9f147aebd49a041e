"""Paper §6 (Fig. 5): all environments one after another, and all at once."""

from heldout.analysis.endpoints import Endpoint
from heldout.chains import Chain, Stage
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.chains import along, by_data, prefixes, training_episodes
from heldout.study.recipes.measuring import measured_in
from heldout.study.recipes.questions import MARGIN, Sum, cells_of, change, endpoint, mean, minus
from heldout.study.recipes.transfer import CLOSED, refuse_fewer, single


def _orders(asked: Asked) -> tuple[Chain, ...]:
    """The environments in the order that they are asked in, and in that order backwards.

    The paper shows two "representative" orders of five in a figure, and its text does not name them. An order and
    its reverse have every pair both ways round, and each environment as far from its place as can be.
    """
    order = sum(map(single, asked.envs), ())
    return (order, order[::-1])


def _joint(asked: Asked, data: bool) -> Chain:
    """All environments at once, in equal shares or by their data, for as many steps as an order takes."""
    stage = by_data(asked.envs, asked.config) if data else Stage(asked.envs)
    return (stage.ending_at(asked.config.train.steps * len(asked.envs)),)


def orders_studies(asked: Asked, *, data: bool = False) -> tuple[Study, ...]:
    """Two orders, measured after every stage, and the mixture with the same total of episodes."""
    refuse_fewer(asked, 2, "orders")
    orders, mixture = _orders(asked), _joint(asked, data)
    assert {training_episodes(chain, asked.config) for chain in (*orders, mixture)} == {
        training_episodes(mixture, asked.config)
    }
    study = Study(
        name="orders",
        base=asked.model,
        chains=along([*prefixes(orders), mixture], asked.every, asked.config),
        seeds=asked.seeds,
        measured=measured_in(asked, asked.envs),
        config=asked.config,
        drift=True,
        endpoints=tuple(_endpoints(asked, orders, mixture)),
    )
    return (study,)


def _endpoints(asked: Asked, orders: tuple[Chain, ...], mixture: Chain) -> list[Endpoint]:
    everywhere = cells_of(asked.envs, asked.pooled)
    one, other = orders
    found = [
        endpoint("the first order against the mixture", change(mixture, one, everywhere), "joint", MARGIN),
        endpoint("the second order against the mixture", change(mixture, other, everywhere), "joint", MARGIN),
        endpoint("the first order against the second", change(other, one, everywhere), "order", MARGIN),
        endpoint("the mixture, everywhere", change((), mixture, everywhere), "mixture"),
    ]
    if set(CLOSED) < set(asked.envs):
        open_ = [env for env in asked.envs if env not in CLOSED]
        lost = [mean([_since(asked, order, env) for order in orders for env in envs]) for envs in (CLOSED, open_)]
        told = f"forgetting of {' and '.join(CLOSED)} minus that of the others"
        found.append(endpoint(told, minus(*lost), "long-forgetting"))
    return found


def _since(asked: Asked, order: Chain, env: str) -> Sum:
    """What the stages after an environment's own change there."""
    place = [stage.envs for stage in order].index((env,)) + 1
    return change(order[:place], order, cells_of([env], asked.pooled))
