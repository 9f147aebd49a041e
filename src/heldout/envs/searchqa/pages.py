"""Facts in English: pages of an encyclopaedia, and questions that only they answer."""

from collections.abc import Mapping, Sequence
from random import Random

from heldout.envs.searchqa.facts import Facts, Thing
from heldout.envs.searchqa.names import COUNTRY, EVENT, PERSON, TOWN, WORK
from heldout.envs.searchqa.passages import Passage
from heldout.envs.searchqa.world import Fact

Forms = Mapping[str, tuple[str, ...]]
"""Of each relation some ways to say it; the first is the plainest."""

ASKED: Forms = {
    "birthplace": ("Where was {} born?", "In which town was {} born?"),
    "teacher": ("Who taught {}?", "Who was the teacher of {}?"),
    "birth year": ("When was {} born?", "In which year was {} born?"),
    "country": ("In which country is {}?", "To which country does {} belong?"),
    "founder": ("Who founded {}?", "Who was the founder of {}?"),
    "capital": ("What is the capital of {}?", "Which town is the capital of {}?"),
    "ruler": ("Who first ruled {}?", "Who was the first ruler of {}?"),
    "author": ("Who wrote {}?", "Who is the author of {}?"),
    "setting": ("Where is {} set?", "In which town is {} set?"),
    "work year": ("When did {} appear?", "In which year did {} appear?"),
    "place": ("Where was {} held?", "Which town held {}?"),
    "winner": ("Who won {}?", "Who was the winner of {}?"),
    "event year": ("When was {} held?", "In which year was {} held?"),
}

NAMED: Forms = {
    "birthplace": ("the birthplace of {}", "the town where {} was born"),
    "teacher": ("the teacher of {}", "the person who taught {}"),
    "country": ("the country of {}", "the country in which {} lies"),
    "founder": ("the founder of {}", "the person who founded {}"),
    "capital": ("the capital of {}", "the capital city of {}"),
    "ruler": ("the first ruler of {}", "the person who first ruled {}"),
    "author": ("the author of {}", "the person who wrote {}"),
    "setting": ("the setting of {}", "the town in which {} is set"),
    "place": ("the place of {}", "the town that held {}"),
    "winner": ("the winner of {}", "the person who won {}"),
}

CUES: Mapping[str, str] = {"birth year": "born", "work year": "appeared", "event year": "held"}
"""What to search for beside a name, where it is not the relation's own word."""

BRIEF: Mapping[str, str] = {
    PERSON: "{title} was born in {birthplace} in {birth year}, teacher {teacher}.",
    TOWN: "{title} lies in {country}, founder {founder}.",
    COUNTRY: "{title} has the capital {capital}, first ruler {ruler}.",
    WORK: "{name} is a {form} of {work year}, author {author}, setting {setting}.",
    EVENT: "{title} was held in {place} in {event year}, winner {winner}.",
}
"""One sentence, which holds all that is asked."""

FULL: Mapping[str, tuple[str, ...]] = {
    PERSON: (
        "{title} (born {birth year}) was {trade} from {birthplace}.",
        "{title}, born in the year {birth year}, became known as {trade}. The birthplace is {birthplace}.",
    ),
    TOWN: (
        "{title} is a town in {country}. It was founded by {founder}, whose monument stands on the market square.",
        "{title} belongs to {country}. The founder of the town, {founder}, gave it its first walls.",
    ),
    COUNTRY: (
        "{title} is a country whose capital is {capital}. Its first ruler was {ruler}.",
        "{title} was first ruled by {ruler}. The capital, where the court resided, is {capital}.",
    ),
    WORK: (
        "{name} is a {form} that appeared in {work year}. Its author is {author}, and it is set in {setting}.",
        "{name}, a {form} by {author}, appeared in {work year}. The setting is the town of {setting}.",
    ),
    EVENT: (
        "The {title} was held in {place} in {event year}. Its winner was {winner}.",
        "In {event year} the {title} took place in {place}. It was won by {winner}.",
    ),
}

LATER: Mapping[str, tuple[str, ...]] = {
    PERSON: ("{title} was taught by {teacher}.", "As a pupil of {teacher}, {title} learned the craft early."),
    TOWN: ("Among those who were born there: {natives}.",),
}
"""What stands further down."""

TRADES = (
    "an engraver",
    "an actor",
    "a botanist",
    "a painter",
    "a sculptor",
    "a mathematician",
    "a poet",
    "a surveyor",
)

COLOUR: Mapping[str, tuple[str, ...]] = {
    PERSON: (
        "The early years were spent in modest circumstances, as letters to relatives show.",
        "Several portraits survive, most of them in private collections.",
        "A long illness interrupted the work for some years, after which it was taken up again with new vigour.",
        "The correspondence with fellow scholars fills four volumes and was edited in a later century.",
        "A street and a school were named in recognition of these services.",
        "Contemporaries praised a dry humour and an unusual memory for faces.",
    ),
    TOWN: (
        "The economy rests on weaving, timber and a yearly cattle market.",
        "A railway line reached the outskirts late and was closed again after some decades.",
        "The old church, rebuilt twice after fires, has a wooden tower that can be seen from afar.",
        "Most inhabitants live in the valley, while the slopes are used as pasture.",
        "The archive holds council records that go back without a gap for many generations.",
        "Its coat of arms shows a bridge with three arches below a star.",
    ),
    COUNTRY: (
        "The landscape is hilly in the north and flat towards the coast.",
        "Its currency has been stable for a long time, and exports consist mainly of grain and copper.",
        "The constitution provides for an assembly that meets twice a year.",
        "Summers are short, and snow lies on the passes well into spring.",
        "A network of canals connects the larger rivers with one another.",
        "The national library was opened to the public only recently.",
    ),
    WORK: (
        "Critics received it with reserve at first, but it soon found its public.",
        "It has been translated several times, and two versions for younger audiences exist.",
        "The manuscript was long thought to be lost and turned up in an attic.",
        "Its second part differs in tone from the first and is often discussed on its own.",
        "The plot follows three siblings who inherit a house that none of them wants.",
        "An anniversary edition with a new preface was published by a small press.",
    ),
    EVENT: (
        "Heavy rain delayed the opening by two days and kept many visitors away.",
        "A commemorative medal was struck, of which few specimens are known.",
        "Newspapers from several regions sent correspondents, and their reports differ in many details.",
        "The number of participants was larger than the organisers had expected.",
        "Disputes over the rules continued for months afterwards.",
        "A plaque near the station recalls the occasion.",
    ),
}
"""What fills a page to the length of a real passage, and is never asked."""


def passages(facts: Facts, profile: str, chance: Random) -> list[Passage]:
    """The pages of an encyclopaedia, one for each thing, shuffled."""
    brief = profile == "pocket"
    pages = [(thing, _brief(thing, facts) if brief else _full(thing, facts, chance)) for thing in facts.things]
    chance.shuffle(pages)
    quote = "" if brief else '"'
    return [
        Passage(str(number), f"{quote}{thing.title}{quote}\n{text}") for number, (thing, text) in enumerate(pages)
    ]


def question(chain: Sequence[Fact], facts: Facts, profile: str, chance: Random) -> str:
    """The question that a chain of facts answers; its words for the way are the plainest in the pocket profile."""
    name = _reference(facts.about[chain[0].subject])
    for fact in chain[:-1]:
        name = _choose_form(NAMED[fact.relation], profile, chance).format(name)
    return _choose_form(ASKED[chain[-1].relation], profile, chance).format(name)


def _reference(thing: Thing) -> str:
    """How a question names a thing: a work with its form, since another may have its name."""
    if thing.kind == WORK:
        return f"the {thing.form} {thing.name}"
    return f"the {thing.title}" if thing.kind == EVENT else thing.title


def query(fact: Fact) -> str:
    """What to search for to read a fact."""
    return f"{fact.subject.replace('(', '').replace(')', '')} {CUES.get(fact.relation, fact.relation)}"


def _brief(thing: Thing, facts: Facts) -> str:
    return BRIEF[thing.kind].format(**_slots(thing, facts))


def _full(thing: Thing, facts: Facts, chance: Random) -> str:
    slots = _slots(thing, facts) | {"trade": chance.choice(TRADES), "natives": _natives(thing, facts, chance)}
    first, second, *rest = chance.sample(COLOUR[thing.kind], 4)
    lines = [chance.choice(FULL[thing.kind]), first, chance.choice(LATER.get(thing.kind, (second,))), *rest]
    return " ".join(lines).format(**slots)


def _natives(town: Thing, facts: Facts, chance: Random) -> str:
    """Some who were born in a town, the same relation of several people; or that none is known."""
    born = [fact.subject for fact in facts.to.get(town.title, ()) if fact.relation == "birthplace"]
    return " and ".join(chance.sample(born, min(2, len(born)))) or "nobody of note"


def _slots(thing: Thing, facts: Facts) -> dict[str, str]:
    about = {fact.relation: fact.object for fact in facts.of[thing.title]}
    return about | {"title": thing.title, "name": thing.name, "form": thing.form}


def _choose_form(forms: tuple[str, ...], profile: str, chance: Random) -> str:
    return forms[0] if profile == "pocket" else chance.choice(forms)
