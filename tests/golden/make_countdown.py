"""Writes tests/golden/countdown/cases.jsonl: Countdown completions and the score of the paper's rule, by Python's own eval.

The rule (TinyZero's verl/utils/reward_score/countdown.py, applied to the completion alone) is written down below once more.
Each line holds nums, target, completion, score and, where the C++ verifier differs on purpose, "deviates": true: the answer
holds `//` or `**`, which the verifier refuses (0.1) where Python may score 1.

usage: python3 tests/golden/make_countdown.py      (Python 3.11; the standard library only)
"""
import json
import pathlib
import random
import re
import signal
import warnings

FILE = pathlib.Path(__file__).resolve().parent / "countdown" / "cases.jsonl"
warnings.simplefilter("ignore")  # "(1)(2)": 'int' object is not callable


def answer_of(completion):
    matches = list(re.finditer(r"<answer>(.*?)</answer>", completion.split("\n")[-1]))
    return matches[-1].group(1).strip() if matches else None


def uses_numbers(equation, nums):
    try:
        return sorted(int(n) for n in re.findall(r"\d+", equation)) == sorted(nums)
    except ValueError:  # more than 4,300 digits
        return False


def value_of(equation):
    if not re.match(r"^[\d+\-*/().\s]+$", equation):
        return None
    try:
        signal.alarm(2)
        return eval(equation, {"__builtins__": None}, {})
    except Exception:
        return None
    finally:
        signal.alarm(0)


def timed_out(*_):
    raise TimeoutError


signal.signal(signal.SIGALRM, timed_out)


def score(nums, target, completion):
    equation = answer_of(completion)
    if equation is None:
        return 0
    if not uses_numbers(equation, nums):
        return 0.1
    value = value_of(equation)
    try:
        return 1.0 if value is not None and abs(value - target) < 1e-5 else 0.1
    except Exception:
        return 0.1


# ---- cases

rng = random.Random(20)
cases = []


def add(nums, target, completion):
    cases.append((list(nums), target, completion))


def tagged(nums, target, *equations):
    for equation in equations:
        add(nums, target, f"<answer>{equation}</answer>")


def by_hand():
    n, t, good = [3, 17, 42], 28, "42-17+3"
    for completion in [
            "", "\n", good, f"<answer>{good}", f"{good}</answer>", f"</answer>{good}<answer>", f"<answer>{good}</answer>",
            f"<answer>{good}</answer>\n", f"<answer>{good}</answer>\n\n", f"<answer>{good}</answer> ", f"<answer>{good}</answer>\r",
            f"x\n<answer>{good}</answer>", f"<answer>{good}</answer>\nx", f"<answer>1</answer><answer>{good}</answer>",
            f"<answer>{good}</answer><answer>1</answer>", f"<answer>{good}</answer><answer>", f"<answer>{good}</answer></answer>",
            f"<answer><answer>{good}</answer>", f"<answer><answer>{good}</answer></answer>", f"<Answer>{good}</Answer>",
            f"<answer >{good}</answer>", f"<answer>{good}</answer >", f"<answer>{good}\n</answer>", f"<answer>\n{good}</answer>",
            f"<answer>{good}</answer>\n<answer>{good}</answer>", f"<answer>{good}</answer>\n<answer>1</answer>",
            f"<answer>1</answer>\n<answer>{good}</answer>", f"<think><answer>1</answer></think>\n<answer>{good}</answer>",
            f"Assistant: <answer>{good}</answer>", f"<answer>1</answer>Assistant:<answer>{good}</answer>",
            f"<|im_start|>assistant <answer>{good}</answer>", f"<answer>{good} = 28</answer>", f"<answer>28 = {good}</answer>",
            f"<answer>{good}=28</answer>", f"<answer>\\boxed{{{good}}}</answer>", f"<answer>${good}$</answer>", "<answer></answer>",
            "<answer> </answer>", "<answer>\t\r</answer>", f"<answer>{good}</answer>\u2028", f"\u2028<answer>{good}</answer>",
            f"<answer>{good}</answer>\x0b", f"x\r<answer>{good}</answer>", f"x\x85<answer>{good}</answer>",
            "<answer><answer>", "</answer></answer>", "<answer>" * 50 + good + "</answer>" * 50]:
        add(n, t, completion)
    spaces = ["\t", "\x0b", "\x0c", "\r", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680", "\u2000", "\u2003", "\u200a",
              "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff", "\u180e", "\x00", "\x08"]
    for space in spaces:
        tagged(n, t, f"{space}{good}", f"{good}{space}", f"{space}{good}{space}", f"{space} {space}{good} {space}", f"42{space}-17+3",
               f"42-17{space}+{space}3", f"(42{space}-17)+3", f"42-({space}17-3)", f"({space}{good}{space})", f"4{space}2-17+3",
               f"({good}{space}{space})", f"({good}){space}")
    tagged(n, t, "(42-17)+3", "((42)-(17))+(3)", "(((42-17+3)))", "42 - 17 + 3", "3+42-17", "3-17+42", "-17+42+3", "+42-17+3",
           "--42-17+3", "42--17+3", "42-+17+3", "42-17++3", "42-17--3", "42-17-(-3)", "+-+-42-17+3", "-(17-42)+3", "-(17-42-3)",
           "42-17+3+", "42-17+3-", "+", "-", "*", "/", "(", ")", "()", ")(", "(42-17+3", "42-17+3)", "((42-17)+3", "(42-17))+3",
           "42 17 3", "42-17 3", "(42)(17)+3", "(42-17)(3)", "3(42-17)", "42(17)3", "42 -17 + 3 3", "42-17+3.", "42.-17+3", "42.-17.+3.",
           "42.0-17+3", "042-17+3", "42-017+3", "42-17+03", "42-17+3.0", "4 2-17+3", "42-1 7+3", "42-17+3()", "()42-17+3", "42-17+(3)()",
           "42*17*3", "42/17/3", "42-17+x", "42-17+3j", "42-17+3e0", "4_2-17+3", "0x2a-17+3", "42-17+3L", "42,17,3", "42-17+3,",
           "42-17+3;", "42-17+3#", "42-17+3 #c", "[42-17+3]", "{42-17+3}", "42\u221217+3", "42\u00d717+3", "42\u00f717+3", "\u0664\u0662-17+3",
           "42-\u0661\u0667+3", "42-17+\u0663", "42-17+\uff13", "42-17+\u00b3", "42-17+\U0001d7d1", "\uff0842-17\uff09+3", "42-17+3\\",
           "42-17+3'", "'42-17+3'", "42 if 17 else 3", "42&17|3", "42^17+3", "42%17+3", "~42-17+3", "42<17<3", "42@17@3", "42:17:3",
           "42-17+3!", "42 - 17 + 3 = 28", "\u0000", "42-17+3\u0000", "lambda:42-17+3", "...", "42-17+...", "(...)", "...*42*17*3",
           "()*42*17*3", "42*()+17+3", "(*42)-17+3", "*42-17+3", "42(*())-17+3", "42-17+3.()", "42/0-17+3", "42/(17-17)+3",
           "(42-17)+(3)", "((42-17)+(3))", "4.2-17+3", "42-17+.3", "42-1.7+3", "42..-17+3", "42.-.17+3", "42-17+3..", ".42-17+3",
           "42-17+3/1", "42-17+3*1", "1*42-17+3", "42-17", "42+3", "28", "28.0", "42-17+3-0", "42-17+3+3-3", "17-42-3", "-(42-17+3)",
           "42 - -17 + 3", "- - 42 - 17 + 3", "42\t-\t17\t+\t3", "42-17\\+3", "None", "True", "42-17+3if", "42 .-17+3", "42 . - 17 + 3")


def numbers():
    tagged([1, 3, 8, 8], 24, "8/(3-8/(3-1))", "8/(3-8/3)", "(8/8+3-1)*8", "8*3*8/8", "(8-8/8)*3+1", "8*(8-3)/1-8*2")
    tagged([3, 3, 8, 8], 24, "8/(3-8/3)", "8/(3.-8/3)", "8/(3-8/3.)", "8/(3-(8/3))", "8/3-8/3", "3*8/3*8", "8/(8/3-3)")
    tagged([1, 49, 1], 0, "1/49*0", "1-49*1/49", "1/(49-49)", "1/49-1", "1.49-1")
    tagged([1, 1, 49, 49], 0, "1/49*49-1", "1-49/49*1", "1/49*49-1.", "1-1/49*49", "1/49/49*1")
    tagged([5, 1, 49, 49, 1], 5, "5/(1/49*49-1)", "5*(1/49*49*1)", "5/(1-1/49*49)", "5*1*49/49*1", "5.*1/49*49/1")
    tagged([0, 5, 7], 35, "5*7+0", "5*7-0", "5*7+00", "5*7+000", "0+5*7", "05*7", "0.5*7", "5*7.0", "5.0*7", "5*07", "00.5*7", "0.0+5*7",
           "5*7/0", "5*7*0", "0/5+5*7", "5*7+0.", "5*7+.0", "-0+5*7", "5.7+0", "+0.+5.*7.", "5*0.7", "0.7*5")
    tagged([0, 0, 5], 5, "5+0*0", "5-0-0", "5.0+0", "0+0+5", "0/0+5", "5.00", "5.0-0", "0.0+5", "00+5", "5+0.0", "0*0.5", "5+0/5")
    tagged([1, 5, 2], 3, "1.5*2", "1.5+2", "2*1.5", "5-2*1", "5-2/1", "5.-2*1", "1.5*2.", "1.*5-2", "2.1-5", "5-2.1", "2/.5-1", "1+2.5")
    tagged([7, 0, 0], 7, "7.0+0", "07.0", "007.0", "7.00", "007", "7+0+0", "7+0.0", "7.0-0", "00+7", "007.", "0.07", "00.7", "7.+00")
    tagged([7, 5], 7, "007.5", "7.5", "7.", "7-5", "07.5")
    tagged([7, 5], 12, "7+5", "7.+5.", "7.+5", "+7++5", "7+ +5", "7--5", "7- -5", "7---5", "7-(-5)", "(7)+(5)", "((7))+((5))")
    # The edge of 1e-5, where Python's doubles decide.
    for target in (0, 1, 3, 7, 10, 11, 50, 98, 99, 1000, 12345):
        for tail in (1, 9, 10, 11, 99, 999):
            for text in (f"{target}.00001", f"{target}.000001", f"{target}.0000{tail}", f"{target}.00000{tail}"):
                tagged([target, int(text.split(".")[1])], target, text, f"+{text}", f"({text})")
        tagged([target + 1, 0], target, f"{target + 1}-0.99999", f"{target + 1}.0-1")
        tagged([target + 1, 0, 99999], target, f"{target + 1}-0.99999", f"{target + 1}-.99999-0", f"{target + 1}-99999/0")
        tagged([target + 1, 0, 999991], target, f"{target + 1}-0.999991", f"{target + 1}-0.999991*1")
    # Whole numbers beyond 2^53 and below 2^63.
    big = 10**17
    tagged([big, 3, 3], big, f"{big}/3*3", f"3*{big}/3", f"{big}*3/3", f"{big}/3/3*3", f"{big}.*3/3", f"{big}+3-3", f"{big}-3+3", f"{big}.+3-3")
    for a, b in [(2**53 + 1, 1), (2**62 + 1, 2**62 - 1), (9007199254740993, 3), (10**18, 7), (2**63 - 1, 2)]:
        for op in "+-*/":
            for target in {a, b, a - b, a + b if a + b < 2**63 else 0, a // b}:
                tagged([a, b], target, f"{a}{op}{b}", f"{a}{op}{b}.", f"{a}.{op}{b}")
    tagged([5], 5, "5", "5.", "+5", "-5", "(5)", "05", "5 ", "--5", "((5))", "5.0", "5()", "(5)()", "5e0")
    tagged([], 0, "", "()", "...", "0", " ", "+", "(())")
    tagged([5, 5, 5, 5], 20, "5+5+5+5", "5+5+5", "5+5+5+5+5", "5*5-5*1", "5*5-5", "(5*5*5-5)/5", "5*5-5/5", "55-5*5", "5555")


def nested():
    for depth in (10, 100, 199, 200, 201, 300, 1000, 5000):
        tagged([7], 7, "(" * depth + "7" + ")" * depth, "(" * depth + "7", "7" + ")" * depth)
    for length in (10, 100, 1000, 2500, 3500, 5000):
        tagged([7], 7, "+" * length + "7", "-" * (length // 2 * 2) + "7", "- " * (length // 2 * 2) + "7", "7" + "+" * length)
        tagged([1] * length, length, "+".join(["1"] * length), "1+" * length)
    tagged([7], 7, "0" * 4300 + "7.", "7." + "0" * 4299, "7" + "." * 3000, " " * 3000 + "7" + " " * 3000)
    tagged([7, 0], 7, "7." + "0" * 4300, "7." + "0" * 4301, "7." + "0" * 5000, "7+" + "0" * 4300, "7+" + "0" * 4301, "7+0." + " " * 999)
    tagged([0, 0], 0, "0." + "0" * 500, "0." + "0" * 4000)
    tagged([0, 1], 0, "0." + "0" * 400 + "1", "0." + "0" * 4000 + "1", "0." + "0" * 330 + "1")


def powers():
    tagged([2, 3], 8, "2**3", "3**2", "2* *3", "(2)**3", "2**3.", "2**-3", "2***3")
    tagged([7, 2], 3, "7//2", "7/ /2", "7///2", "(7)//2", "7//2.", "7//-2")
    tagged([9, 9, 9], 1, "9//9**9", "9**(9-9)", "9//9*9", "9*9//9", "9/9**9")
    tagged([2, 3, 5], 13, "2**3+5", "5+2**3", "2//3+5", "(2**3)+5")
    tagged([1, 2], 1, "1//2", "1**2", "2//1", "1//2.", "2**1")


def random_expression(items):
    if len(items) == 1:
        number = str(items[0])
        return rng.choice([number] * 12 + [number + ".", f"({number})", f"-{number}", f"+{number}", f" {number}", number + ".0", "0" + number])
    cut = rng.randint(1, len(items) - 1)
    op = rng.choice(["+", "-", "*", "/"] * 12 + [" + ", " - ", " * ", " / ", "+-", "--", "*-", "/-", "", " ", "\t*", "-(-1)*"])
    text = random_expression(items[:cut]) + op + random_expression(items[cut:])
    return f"({text})" if rng.random() < 0.4 else text


def mutated(text):
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        at = rng.randint(0, len(text))
        kind = rng.random()
        if kind < 0.4:
            text = text[:at] + rng.choice("0123456789+-*/(). .()\t\r\x0c") + text[at:]
        elif kind < 0.8:
            text = text[:at] + text[at + 1:]
        else:
            other = rng.randint(0, len(text))
            text = text[:min(at, other)] + text[min(at, other):max(at, other)][::-1] + text[max(at, other):]
    return text


def drawn(count):
    while count > 0:
        nums = [rng.choice([rng.randint(1, 99), rng.randint(0, 9)]) for _ in range(rng.choice([1, 2, 3, 3, 4, 4, 5, 6]))]
        items = nums[:]
        rng.shuffle(items)
        text = mutated(random_expression(items))
        if "**" in text or "//" in text:
            continue
        value = value_of(text)
        whole = isinstance(value, (int, float)) and abs(value) < 2**53 and value == int(value)
        # A target that the equation reaches, mostly: else everything would score 0.1.
        target = int(value) if whole else rng.randint(1, 99)
        if not whole and rng.random() < 0.5:
            continue
        if rng.random() < 0.1:
            target += 1
        if rng.random() < 0.4 and whole:  # numbers as they stand in the mutated text, so that its value decides
            nums = [int(n) for n in re.findall(r"\d+", text)]
        add(nums, target, rng.choice(["", "think\n", "a<answer>1</answer>\n"]) + f"<answer>{text}</answer>")
        count -= 1


def noise(count):
    alphabet = ["<answer>", "</answer>", "\n", "1", "2", "+", "1+2", " ", "é", "<", ">", "/"]
    for _ in range(count):
        add([1, 2], 3, "".join(rng.choice(alphabet) for _ in range(rng.randint(0, 14))))


def main():
    by_hand()
    numbers()
    nested()
    powers()
    drawn(2600)
    noise(700)
    FILE.parent.mkdir(exist_ok=True)
    counts = {}
    with FILE.open("w", encoding="utf-8") as out:
        for nums, target, completion in cases:
            row = {"nums": nums, "target": target, "completion": completion, "score": score(nums, target, completion)}
            equation = answer_of(completion) or ""
            if "**" in equation or "//" in equation:
                row["deviates"] = True
            counts[row["score"]] = counts.get(row["score"], 0) + 1
            out.write(json.dumps(row, separators=(",", ":")) + "\n")
    print(len(cases), "cases", counts, FILE.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
