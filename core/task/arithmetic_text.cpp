#include "core/task/arithmetic_text.h"

#include "core/task/countdown_solver.h"

#include <algorithm>

namespace tempera {

namespace {

struct Operation {
    int left, right, result;
    char op;
    std::string term() const { return std::to_string(left) + op + std::to_string(right); }
    std::string text() const { return term() + "=" + std::to_string(result); }
};

/// A random operation on two numbers with a result within 1..9999, the larger number first.
bool operate(int a, int b, RandomStream& random, Operation& operation) {
    int larger = std::max(a, b), smaller = std::min(a, b);
    operation = {larger, smaller, 0, "+-*/"[random.below(4)]};
    switch (operation.op) {
    case '+':
        operation.result = larger + smaller;
        break;
    case '-':
        operation.result = larger - smaller;
        break;
    case '*':
        operation.result = larger * smaller;
        break;
    default:
        operation.result = larger % smaller == 0 ? larger / smaller : 0;
    }
    return operation.result > 0 && operation.result <= 9999;
}

Operation random_operation(RandomStream& random) {
    Operation operation{};
    do {
        int b = random.between(1, 99);
        int a = random.below(4) == 0 ? b * random.between(1, 20)
                                     : random.between(1, random.below(3) == 0 ? 300 : 99);
        if (operate(a, b, random, operation)) return operation;
    } while (true);
}

/// Reduces random numbers to one value, step by step.
struct Chain {
    std::vector<int> numbers;
    std::vector<Operation> steps;
    std::vector<std::vector<int>> rests; ///< after each step
    Calculation calculation;
};

bool try_chain(int count, RandomStream& random, Chain& chain) {
    chain = {};
    std::vector<int> nodes;
    for (int i = 0; i < count; ++i) {
        chain.numbers.push_back(random.between(1, 99));
        nodes.push_back(i);
        chain.calculation.nodes.push_back({0, -1, -1, Rational(chain.numbers.back())});
    }
    std::vector<int> pool = chain.numbers;
    while (pool.size() > 1) {
        auto size = static_cast<std::uint32_t>(pool.size());
        std::uint32_t i = random.below(size), j = random.below(size - 1);
        if (j >= i) ++j;
        if (pool[i] < pool[j]) std::swap(i, j);
        Operation step{};
        if (!operate(pool[i], pool[j], random, step)) return false;
        int left = nodes[i], right = nodes[j];
        for (std::uint32_t gone : {std::max(i, j), std::min(i, j)}) {
            pool.erase(pool.begin() + gone);
            nodes.erase(nodes.begin() + gone);
        }
        chain.rests.push_back(pool);
        pool.push_back(step.result);
        nodes.push_back(static_cast<int>(chain.calculation.nodes.size()));
        chain.calculation.nodes.push_back({step.op, left, right, Rational(step.result)});
        chain.steps.push_back(step);
    }
    return true;
}

Chain random_chain(RandomStream& random) {
    Chain chain;
    do {
        bool found = try_chain(random.between(2, 4), random, chain);
        int value = found ? chain.steps.back().result : 0;
        // Mostly results of two digits: the other values are less use and far more frequent.
        if (found && ((value >= 10 && value <= 99) || random.below(8) == 0)) return chain;
    } while (true);
}

std::string joined(const std::vector<int>& numbers, const char* separator) {
    std::string text;
    for (int number : numbers)
        text += (text.empty() ? "" : separator) + std::to_string(number);
    return text;
}

/// "make 31 from 3, 17, 42: 42-17=25, left 3; ..."
std::string reduction(const Chain& chain, bool goal_first) {
    std::string text = "from " + joined(chain.numbers, ", ");
    if (goal_first) text = "make " + std::to_string(chain.steps.back().result) + " " + text;
    text += ":";
    for (std::size_t i = 0; i < chain.steps.size(); ++i) {
        text += " " + chain.steps[i].text();
        if (!chain.rests[i].empty()) text += " left " + joined(chain.rests[i], " ") + ";";
    }
    return text;
}

std::string line(RandomStream& random) {
    switch (random.below(8)) {
    case 0:
        return random_operation(random).text();
    case 1: {
        Operation operation = random_operation(random);
        return std::to_string(operation.result) + "=" + operation.term();
    }
    case 2: {
        Chain chain = random_chain(random);
        return chain.calculation.to_string() + "=" + std::to_string(chain.steps.back().result);
    }
    case 3:
        return reduction(random_chain(random), false);
    default:
        return reduction(random_chain(random), true);
    }
}

} // namespace

std::string arithmetic_text(RandomStream& random) {
    std::string text;
    while (text.size() < 150)
        text += line(random) + "\n";
    return text;
}

} // namespace tempera
