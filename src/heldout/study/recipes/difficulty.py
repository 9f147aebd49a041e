"""Paper §4 (Table 2): what training on easy or hard tasks is worth on the others, and in which order."""

from heldout.chains import Chain, Stage
from heldout.errors import BadCall
from heldout.study.plan import Study
from heldout.study.recipes.asked import HALVES, Asked
from heldout.study.recipes.chains import along, longer
from heldout.study.recipes.measuring import measured_in
from heldout.study.recipes.questions import cells_of, change, endpoint


def difficulty_studies(asked: Asked) -> tuple[Study, ...]:
    """For each environment easy, hard and all tasks, both orders, and all for as long as two stages take."""
    if asked.difficulty:
        raise BadCall(f"easy and hard tasks are compared here: leave --difficulty {asked.difficulty} out")
    return tuple(_study(asked, env) for env in asked.envs)


def _study(asked: Asked, env: str) -> Study:
    config = asked.config
    easy, hard, everything = ((Stage((env,), difficulty),) for difficulty in (*HALVES, "all"))
    matched: Chain = longer(everything, config, 2)
    up, down = (*easy, *hard), (*hard, *easy)
    on_all, on_easy, on_hard = (cells_of([env], each) for each in ("all", *HALVES))
    return Study(
        name=f"difficulty, {env}",
        base=asked.model,
        chains=along([easy, hard, everything, up, down, matched], asked.every, config),
        seeds=asked.seeds,
        measured=measured_in(asked, [env]),
        config=config,
        endpoints=(
            endpoint(f"{env}: easy to hard", change((), easy, on_hard), "easy-to-hard"),
            endpoint(f"{env}: hard to easy", change((), hard, on_easy), "hard-to-easy"),
            endpoint(f"{env}: hard against easy", change(easy, hard, on_all), "hard-gains-more"),
            endpoint(f"{env}: easy > hard against all", change(matched, up, on_all), "curriculum"),
            endpoint(f"{env}: easy > hard against hard > easy", change(down, up, on_all), "curriculum-order"),
        ),
    )
