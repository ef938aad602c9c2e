"""Writes resources/instructions.jsonl: instructions whose answers a program can check (core/task/constraints.h).

Every row is made of a topic, a request and one to three constraints from the lists below, all written for this project. The
splits share no topic, so they share no prompt. The same script writes the same file.

usage: python3 resources/make_instructions.py      (the standard library only)
"""
import json
import pathlib
import random

FILE = pathlib.Path(__file__).resolve().parent / "instructions.jsonl"
SIZES = {"train": 400, "validation": 60, "test": 200}

# A topic and words that belong to it. "do": something one does; "thing": everything else.
TOPICS = """
do|baking bread|dough oven flour
do|growing tomatoes|soil water sun
do|learning to swim|water breath pool
do|riding a bicycle|wheel road balance
do|playing chess|board king pawn
do|keeping bees|hive honey garden
do|packing for a trip|bag clothes list
do|learning a language|words practice listen
do|saving money|budget month plan
do|cleaning a kitchen|sink floor cloth
do|walking a dog|leash park morning
do|taking photographs|light camera frame
do|reading maps|north road scale
do|sewing a button|needle thread shirt
do|running a race|legs breath finish
do|making soup|pot salt onion
do|writing a diary|page day pen
do|sleeping well|night bed quiet
do|planting a tree|root soil water
do|giving a speech|voice audience pause
do|learning the guitar|string chord finger
do|fixing a flat tyre|wheel pump patch
do|sorting rubbish|paper glass bin
do|knitting a scarf|wool needle row
do|camping in the rain|tent wet fire
do|brewing tea|leaf water cup
do|hosting a dinner|table guests food
do|moving to a new city|street neighbour box
do|learning to type|keys finger speed
do|planning a garden|bed seed path
do|studying for an exam|notes plan sleep
do|singing in a choir|voice breath song
do|painting a wall|brush colour tape
do|skating on ice|blade balance cold
do|mending a chair|glue wood leg
do|watching birds|feather morning quiet
do|climbing a hill|path view boots
do|using a library|book shelf card
do|cooking rice|pot water steam
do|training a puppy|treat patience voice
do|telling stories|listener hero ending
do|drying herbs|leaf air bundle
thing|the tides|moon sea water
thing|volcanoes|lava rock heat
thing|lighthouses|light ship coast
thing|rainbows|light rain colour
thing|the water cycle|cloud rain river
thing|honey|bee flower sweet
thing|owls|night feather silent
thing|old bridges|stone river road
thing|the seasons|sun winter spring
thing|glass|sand heat clear
thing|night trains|sleep window rail
thing|a small bakery|bread oven morning
thing|public parks|tree bench path
thing|the printing press|paper ink book
thing|snow|cold flake winter
thing|wind power|blade wind energy
thing|a village market|fruit stall price
thing|penguins|ice fish wing
thing|clocks|hour hand time
thing|the human heart|blood pump beat
thing|rivers|water bank source
thing|school holidays|summer friend home
thing|a rainy day|window umbrella cloud
thing|the moon|night light orbit
thing|recycling|paper glass metal
thing|friendship|trust time help
thing|a lost umbrella|rain bus blue
thing|magnets|iron pole force
thing|bicycles in cities|lane car street
thing|coffee|cup bean morning
thing|apple trees|fruit branch autumn
thing|dolphins|sea jump sound
thing|deserts|sand heat water
thing|a neighbourhood garden|soil plant neighbour
thing|the alphabet|letter word read
thing|paper|wood page fold
thing|thunderstorms|lightning rain thunder
thing|radio|wave voice music
thing|whales|sea song deep
thing|a broken vase|glue table shelf
thing|stars|night light far
thing|music lessons|teacher practice note
thing|robots|machine sensor task
thing|earthquakes|ground plate wave
thing|castles|wall tower stone
thing|ants|nest path leaf
thing|soap|water oil bubble
thing|a ferry trip|sea deck wind
thing|cheese|milk salt age
thing|fog|cloud ground morning
thing|batteries|charge metal energy
thing|kites|wind string sky
thing|telescopes|lens star mirror
thing|a birthday party|cake friend song
thing|forests|tree animal shade
thing|salt|sea food taste
thing|windmills|wind grain sail
thing|libraries|book quiet shelf
thing|a first day at work|desk colleague name
thing|shadows|light sun shape
thing|postcards|stamp picture word
thing|frogs|pond leap insect
thing|islands|sea sand boat
thing|mirrors|light glass face
thing|team sports|ball team rule
thing|a winter morning|frost breath coat
thing|museums|painting guide room
thing|spiders|web silk leg
thing|mountains|rock snow path
thing|homework|desk time help
""".split("\n")

REQUESTS = {
    "do": ["Give advice to someone who is new to {t}.", "Explain why people enjoy {t}.", "Write a short guide to {t}.",
           "Tell a friend what can go wrong with {t}.", "Describe the first steps of {t}.",
           "Write a message that invites a friend to try {t}.", "Tell a short story about {t}.",
           "What should a beginner know about {t}?", "Write a note to yourself about {t}.",
           "Explain {t} to a child of eight."],
    "thing": ["Explain {t} to a child of eight.", "Describe {t}.", "Write a short text about {t}.",
              "Tell a short story about {t}.", "Write a letter to a friend about {t}.", "What is special about {t}?",
              "Write a short speech about {t}.", "Share some facts about {t}.", "Write a diary entry about {t}.",
              "Why do people like to talk about {t}?"],
}

ENDINGS = ["That is all.", "Try it yourself.", "See you soon.", "What do you think?", "I hope this helps."]
STARTS = ["Dear reader", "Let me begin", "Here is the answer", "First of all", "Good morning"]
AVOIDED = ["very", "really", "good", "thing", "people", "many", "always"]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six"]


def pick(*texts):
    return rng.choice(texts)


def words(_):
    low = rng.choice([10, 20, 30, 40, 60])
    if rng.random() < 0.4:
        return {"type": "words", "at_least": low}, pick(f"Use at least {low} words.", f"Write no fewer than {low} words.")
    high = low + rng.choice([15, 25, 40])
    return ({"type": "words", "at_least": low, "at_most": high},
            pick(f"Use between {low} and {high} words.", f"The answer should have {low} to {high} words."))


def sentences(_):
    n = rng.randint(2, 6)
    if rng.random() < 0.5:
        return {"type": "sentences", "exactly": n}, pick(f"Answer in exactly {NUMBERS[n]} sentences.", f"Write {n} sentences.")
    return {"type": "sentences", "at_least": n}, pick(f"Write at least {NUMBERS[n]} sentences.", f"Use {n} or more sentences.")


def paragraphs(_):
    n = rng.randint(2, 4)
    return ({"type": "paragraphs", "exactly": n},
            pick(f"Write exactly {NUMBERS[n]} paragraphs with an empty line between them.",
                 f"Divide the answer into {n} paragraphs, separated by blank lines."))


def bullets(_):
    n = rng.randint(2, 6)
    if rng.random() < 0.6:
        return ({"type": "bullets", "exactly": n},
                pick(f"Use exactly {NUMBERS[n]} bullet points that begin with \"- \".", f"Answer with {n} bullet points, each starting with \"* \"."))
    return {"type": "bullets", "at_least": n}, f"Use at least {NUMBERS[n]} bullet points that begin with \"- \"."


def numbered(_):
    n = rng.randint(2, 5)
    return ({"type": "numbered", "exactly": n},
            pick(f"Answer as a numbered list of {NUMBERS[n]} points, from 1. to {n}.", f"Give exactly {n} numbered steps (1., 2. and so on)."))


def include(keywords):
    word, n = rng.choice(keywords), rng.choice([1, 1, 2, 3])
    if n == 1:
        return {"type": "include", "text": word}, pick(f"Use the word \"{word}\".", f"Mention the word \"{word}\" somewhere.")
    return {"type": "include", "text": word, "at_least": n}, f"Use the word \"{word}\" at least {NUMBERS[n]} times."


def avoid(_):
    word = rng.choice(AVOIDED)
    return {"type": "avoid", "text": word}, pick(f"Do not use the word \"{word}\".", f"Avoid the word \"{word}\".")


def ends_with(_):
    text = rng.choice(ENDINGS)
    return {"type": "ends_with", "text": text}, pick(f"End with the sentence \"{text}\"", f"Finish your answer with exactly these words: \"{text}\"")


def starts_with(_):
    text = rng.choice(STARTS)
    return {"type": "starts_with", "text": text}, pick(f"Begin with the words \"{text}\".", f"Start your answer with \"{text}\".")


def lower(_):
    return {"type": "lower"}, pick("Write everything in lower case.", "Use no capital letters at all.")


def upper(_):
    return {"type": "upper"}, pick("Write everything in capital letters.", "Your whole answer must be in upper case.")


def no_commas(_):
    return {"type": "no_commas"}, pick("Use no commas.", "Do not write a single comma.")


def no_digits(_):
    return {"type": "no_digits"}, pick("Do not use digits.", "Write all numbers as words.")


def quotation(_):
    return {"type": "quotation"}, pick("Put the whole answer in double quotation marks.", "Wrap your entire answer in double quotes.")


def title(_):
    return {"type": "title"}, pick("Give it a title in double angular brackets, such as <<a title>>.", "Add a title, wrapped as <<title>>.")


def postscript(_):
    return {"type": "postscript"}, pick("Add a postscript on a line of its own that begins with P.S.", "At the end add a line that starts with P.S.")


def highlights(_):
    n = rng.randint(1, 3)
    return ({"type": "highlights", "at_least": n},
            f"Highlight at least {NUMBERS[n]} part{'s' * (n > 1)} of the answer with asterisks, *like this*.")


def placeholders(_):
    n = rng.randint(1, 3)
    return ({"type": "placeholders", "at_least": n},
            f"Include at least {NUMBERS[n]} placeholder{'s' * (n > 1)} in square brackets, such as [name].")


def capital_words(_):
    n = rng.randint(2, 4)
    return {"type": "capital_words", "at_least": n}, f"Write at least {NUMBERS[n]} words in capital letters."


def as_json(_):
    keys = rng.choice([["title", "text"], ["question", "answer"], ["summary", "details"], ["topic", "reason"]])
    return ({"type": "json", "keys": keys},
            f"Answer with a JSON object that has the keys \"{keys[0]}\" and \"{keys[1]}\", and nothing else.")


# Of a family at most one is asked for.
FAMILIES = {"shape": [words, words, sentences, sentences, paragraphs, bullets, bullets, numbered],
            "case": [lower, upper, capital_words],
            "word": [include, include, avoid],
            "edge": [ends_with, starts_with, postscript, title, quotation],
            "mark": [no_commas, no_digits, highlights, placeholders],
            "json": [as_json]}
WEIGHTS = {"shape": 5, "word": 3, "edge": 3, "case": 2, "mark": 2, "json": 1}
# Met by a single word; something else must ask for more.
WEAK = {"avoid", "lower", "upper", "no_commas", "no_digits", "quotation"}
CONFLICTS = [{"json", other} for other in ("sentences", "paragraphs", "bullets", "numbered", "words", "starts_with", "ends_with",
                                           "postscript", "title", "quotation", "no_commas", "upper", "highlights",
                                           "placeholders", "capital_words")]
CONFLICTS += [{"quotation", other} for other in ("bullets", "numbered", "paragraphs", "highlights")]
CONFLICTS += [{"numbered", "no_digits"}, {"numbered", "starts_with"}, {"bullets", "starts_with"}, {"lower", "postscript"},
              {"paragraphs", "postscript"}, {"paragraphs", "title"}, {"sentences", "title"}, {"sentences", "postscript"},
              {"numbered", "lower"}]


def choose(keywords):
    """One to three constraints that can be met together, the last ones first in the text's order of families."""
    while True:
        count = rng.choices([1, 2, 3], [3, 4, 3])[0]
        families = []
        while len(families) < count:
            family = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if family not in families:
                families.append(family)
        chosen = [rng.choice(FAMILIES[family])(keywords) for family in families]
        types = {constraint["type"] for constraint, _ in chosen}
        if types - WEAK and not any(conflict <= types for conflict in CONFLICTS):
            return chosen


rng = random.Random(4)
topics = [line.split("|") for line in TOPICS if line]
rng.shuffle(topics)
total = sum(SIZES.values())
rows, begin = [], 0
for split, size in SIZES.items():
    share = round(len(topics) * size / total)
    mine = topics[begin:] if split == "test" else topics[begin:begin + share]
    begin += share
    seen = set()
    while len(seen) < size:
        kind, topic, keywords = mine[len(seen) % len(mine)]
        chosen = choose(keywords.split())
        request = rng.choice(REQUESTS[kind]).format(t=topic)
        prompt = " ".join([request] + [text for _, text in chosen])
        if prompt in seen:
            continue
        seen.add(prompt)
        rows.append({"split": split, "prompt": prompt, "constraints": [constraint for constraint, _ in chosen]})

with FILE.open("w") as out:
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
