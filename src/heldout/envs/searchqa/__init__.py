"""SearchQA: questions and a search engine, after Search-R1 (Jin et al., 2025; in AgentGym, Xi et al., 2024)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from heldout.config import AS_IT_STANDS, Source, Variant
from heldout.envs.base import (
    BOTH_RULES,
    RULES_VERSION,
    Env,
    Players,
    RealData,
    Recordings,
    Suite,
    Traits,
    Variants,
    refuse_unknown,
)
from heldout.envs.renaming import words_in
from heldout.envs.searchqa import published, released, replay, sets, tasks
from heldout.envs.searchqa.env import POCKET, SearchQA, Words
from heldout.envs.searchqa.forms import loosened
from heldout.envs.searchqa.guess import guess
from heldout.envs.searchqa.options import SearchQAOptions, options_of
from heldout.envs.searchqa.players import count_remaining, legal, mistakes, oracle, thought
from heldout.envs.searchqa.protocol import action_in, count_moves, reply
from heldout.envs.searchqa.world import World
from heldout.envs.wording import goal_told, list_announcement
from heldout.errors import BadCall
from heldout.records import Json, Task, digest

TAGGED = " What is found comes back between <information> and </information>;"

INSTRUCTIONS = {
    "pocket": (
        "Answer the question. Search until you have read the answer.\n"
        "Reply with one of:\n"
        "<think>...</think>\n"
        "<search>query</search>\n"
        "or\n"
        "<think>...</think>\n"
        "<answer>answer</answer>"
    ),
    "standard": (
        "You answer a question with the help of a search engine. Before each move reason between <think> and "
        "</think>; then make exactly one move and stop.\n\n"
        "There are two moves:\n"
        f"- <search>a query</search>: look something up.{TAGGED} never write that part yourself. Search as often "
        "as you need to, one thing at a time.\n"
        "- <answer>the answer</answer>: say what you found, as short as possible: a name, a date, a yes or a no, "
        "without a sentence around it. For example <answer>Lake Geneva</answer>.\n\n"
        "Answer when what you read, or what you surely know, is enough.\n"
        "A reply looks like this:\n"
        "<think>why you do it</think>\n"
        "<search>the query</search>"
    ),
}

ACTIONS = ("<search>{query}</search>", "<answer>{answer}</answer>")

TRAITS = Traits(dense=False, strict=True, lists_actions=False, knowledge=True, structured=True)

STANDS = {
    "actions": "hidden",
    "answers": "",
    "feedback": "informative",
    "observations": "structured",
    "replies": "first",
    "reward": "binary",
    "validation": "strict",
}

FORMS = Variants(
    stands=STANDS, count=count_moves, loosened=lambda _, action: loosened(action), loosened_reply=loosened
)
"""What can be changed whatever is asked."""

NAMES = words_in(
    "born birth birthplace taught teacher pupil year country lies belongs belong founded founder capital ruled "
    "ruler rule wrote written author appear appeared set setting held place won win winner town city person people "
    "novel opera play song engraver actor botanist painter sculptor mathematician poet surveyor"
)
"""The relations and verbs of generated pages and questions, and what things are; proper names are invented."""

GOAL = goal_told(r"^Question: (.+)$")

WORDS = {"pocket": POCKET, "standard": Words()}

Parts = tuple[Callable[[str], Sequence[Task]], Callable[[Task], World], str, str]
"""What a source decides: its splits, how a task's world is made, a line on it, and a digest of it."""


def suite(source: Source) -> Suite:
    """SearchQA over invented encyclopaedias, or over the real questions in HELDOUT_DATA."""
    refuse_unknown(source, INSTRUCTIONS)
    splits, world_of, words, data = (_real if source.kind == "real" else _generated_parts)(source)
    single = _single_answer(source)
    return Suite(
        name="searchqa",
        kind="Search",
        traits=TRAITS,
        instruction=_instruction(source),
        actions=ACTIONS,
        max_turns=5,
        rules=source.rules,
        rules_known=BOTH_RULES,
        rules_version=RULES_VERSION[source.rules],
        source=words,
        data=digest([data, "single_answer"]) if single else data,
        tasks=splits,
        open=partial(_open, source, world_of),
        read=partial(action_in, exact_original=source.rules == "agentgym"),
        guess=guess,
        players=Players(oracle=oracle, legal=legal, thought=thought, mistakes=mistakes, reply=reply),
        task_id=sets.task_id,
        recordings=Recordings(
            open=partial(replay.open_recording, rules=source.rules),
            episode_of=partial(replay.episode_of, options=options_of(source)),
            compared=replay.from_question,
        ),
        options=options_of(source),
        variants=replace(_variants(source), chosen=Variant(answers="single") if single else AS_IT_STANDS),
        real_data=RealData(needs=published.NEEDS, prepare=released.prepare, checks=published.checks),
        content=_content,
        goal=GOAL,
    )


def _content(task: Task) -> Json:
    """What is asked and what answers it, whichever encyclopaedia or set it is of."""
    return {key: task.world[key] for key in ("question", "answers", "facts") if key in task.world}


def _open(source: Source, world_of: Callable[[Task], World], task: Task) -> Env:
    # The original's words have no second length.
    words = WORDS["standard" if source.rules == "agentgym" else source.profile]
    return SearchQA(world_of(task), words, single_answer=_single_answer(source), variant=source.variant)


def _single_answer(source: Source) -> bool:
    """Whether the first answer ends the episode, by either of the names that this has."""
    return options_of(source).single_answer or source.variant.answers == "single"


def _variants(source: Source) -> Variants:
    if source.kind == "real":
        words = "real pages have all the words there are, and a search of them in others finds nothing"
        reward = "nobody wrote down which facts lead to the answer of a real question"
        return Variants(
            stands=STANDS,
            count=count_moves,
            loosened=lambda _, action: loosened(action),
            loosened_reply=loosened,
            fixed={"words": words, "reward": reward},
        )
    return Variants(
        stands=STANDS,
        count=count_moves,
        loosened=lambda _, action: loosened(action),
        loosened_reply=loosened,
        words=NAMES,
        remaining=count_remaining,
    )


def _instruction(source: Source) -> str:
    text = INSTRUCTIONS[source.profile]
    if source.variant.observations == "plain":
        text = text.replace(TAGGED, " What is found comes back to you;")
    return text + list_announcement(source.variant)


def _generated_parts(source: Source) -> Parts:
    asked = options_of(source)
    if asked.retriever or asked.corpus or asked.questions:
        raise BadCall("source.options.searchqa has a retriever, corpus or questions for source.kind=real only")
    return (
        partial(tasks.generated_tasks, seed=source.seed, profile=source.profile),
        partial(tasks.open_task, exact_original=source.rules == "agentgym"),
        f"questions on encyclopaedias invented from seed {source.seed} ({source.profile})",
        digest([source.kind, source.seed, tasks.form_of(source.profile)]),
    )


def _real(source: Source) -> Parts:
    options = options_of(source)
    published.refuse_missing(options)
    searched = f"the service at {options.retriever}" if options.retriever else "BM25 over a file of passages"
    return (
        partial(published.published_tasks, options=options),
        partial(published.open_task, options=options, exact_original=source.rules == "agentgym"),
        f"questions of published sets, over {searched}{_left_out(options)}",
        published.data_digest(options),
    )


def _left_out(options: SearchQAOptions) -> str:
    """How many questions are not asked, if any: who names a file of his own hears it here."""
    count = published.left_out(options)
    return f"; {count} are left out, whose words another has" if count else ""
