#include "app/cli_table.h"

#include "app/cli_output.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>

namespace tempera::cli {

namespace {

using Cells = std::map<std::pair<double, int>, SweepCell>;

std::string fixed(double number, int decimals) {
    if (std::isnan(number)) return "-";
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", decimals, number);
    return text;
}

std::string temperature_words(double temperature) {
    return number_words(temperature, 4);
}

bool finished(const SweepCell& cell) {
    return cell.problems_total > 0 && cell.problems_done >= cell.problems_total;
}

/// The N that are shown where there is room for `room` of them: the largest, 1, then the paper's, then the
/// others.
std::vector<int> shown_n(const std::set<int>& all, std::size_t room) {
    std::vector<int> wanted;
    auto want = [&](int n) {
        if (all.contains(n) && std::find(wanted.begin(), wanted.end(), n) == wanted.end())
            wanted.push_back(n);
    };
    if (!all.empty()) want(*all.rbegin());
    for (int n : {1, 10, 3, 5})
        want(n);
    for (int n : all)
        want(n);
    if (wanted.size() > room) wanted.resize(std::max<std::size_t>(room, 1));
    std::sort(wanted.begin(), wanted.end());
    return wanted;
}

std::string cell_words(const Cells& cells, double temperature, int n) {
    auto found = cells.find({temperature, n});
    if (found == cells.end()) return "-";
    return score_words(found->second.mean) + (finished(found->second) ? "" : "*");
}

std::vector<std::string> head_line(const std::vector<int>& ns) {
    std::vector<std::string> line = {"T"};
    for (int n : ns)
        line.push_back("N=" + std::to_string(n));
    line.insert(line.end(), {"95 %", "pass@1", "format", "length", "cut"});
    return line;
}

std::vector<std::string> map_line(const Cells& cells, const SweepRow& row, const std::vector<int>& ns) {
    std::vector<std::string> line = {temperature_words(row.temperature)};
    for (int n : ns)
        line.push_back(cell_words(cells, row.temperature, n));
    auto widest = cells.find({row.temperature, ns.empty() ? 0 : ns.back()});
    line.push_back(widest == cells.end()
                       ? "-"
                       : score_words(widest->second.low) + "-" + score_words(widest->second.high));
    line.insert(line.end(), {score_words(row.pass_at_1), score_words(row.format_rate),
                             fixed(row.mean_length, 0), score_words(row.truncated_share)});
    return line;
}

/// Single-sample score at its best temperature, best-of-N at its best: each beside what the paper reports.
std::string paper_lines(const PaperValues& paper, const std::vector<SweepRow>& rows,
                        const std::vector<SweepCell>& cells) {
    int most = 0;
    for (const auto& cell : cells)
        most = std::max(most, cell.n);
    std::vector<SweepCell> of_most;
    std::copy_if(cells.begin(), cells.end(), std::back_inserter(of_most),
                 [&](const auto& cell) { return cell.n == most; });
    auto best = best_cell(of_most);
    if (!best) return "";
    auto top = std::max_element(rows.begin(), rows.end(),
                                [](const auto& a, const auto& b) { return a.score < b.score; });
    std::vector<std::vector<std::string>> table = {{"", "here", "paper"}};
    if (top != rows.end())
        table.push_back({"single samples, at T = " + temperature_words(top->temperature),
                         score_words(top->score), score_words(paper.sft)});
    table.push_back(
        {"best-of-" + std::to_string(best->n) + ", at T = " + temperature_words(best->temperature),
         score_words(best->mean), score_words(paper.best_of_n)});
    return text_table(table) + "Paper: mean score after SFT " + score_words(paper.sft) + ", best-of-N "
           + score_words(paper.best_of_n) + ", best at N = " + std::to_string(paper.best_n)
           + " near T = " + temperature_words(paper.best_temperature) + " (Qwen2.5-0.5B, 1000 problems).\n";
}

} // namespace

std::string score_words(double score) {
    std::string text = fixed(score, 3);
    return text.starts_with("0.") ? text.substr(1) : text;
}

std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t left_aligned) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i >= widths.size()) widths.push_back(0);
            widths[i] = std::max(widths[i], text_columns(row[i]));
        }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += (i == 0 ? "" : "  ") + fitted(row[i], widths[i], i >= left_aligned);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::optional<SweepCell> best_cell(const std::vector<SweepCell>& cells) {
    bool any_finished = std::any_of(cells.begin(), cells.end(), finished);
    std::optional<SweepCell> best;
    for (const auto& cell : cells) {
        if (cell.problems_done == 0 || (any_finished && !finished(cell))) continue;
        bool better = !best || cell.mean > best->mean
                      || (cell.mean == best->mean
                          && std::pair(cell.n, cell.temperature) < std::pair(best->n, best->temperature));
        if (better) best = cell;
    }
    return best;
}

std::optional<PaperValues> paper_beside(const Json& recipe) {
    if (recipe.value("kind", "") != "sweep") return std::nullopt;
    return paper_values();
}

std::string sweep_table(const std::vector<SweepCell>& cells, const std::vector<SweepRow>& rows,
                        const Json& recipe, int columns) {
    auto best = best_cell(cells);
    if (!best) return "Nothing was sampled yet.\n";
    Cells by_place;
    std::set<int> all_n;
    for (const auto& cell : cells) {
        by_place[{cell.temperature, cell.n}] = cell;
        all_n.insert(cell.n);
    }
    constexpr int columns_beside = 46, columns_each = 7;
    std::size_t room = columns <= 0
                           ? all_n.size()
                           : static_cast<std::size_t>(std::max(columns - columns_beside, 0) / columns_each);
    auto ns = shown_n(all_n, room);
    std::vector<std::vector<std::string>> lines = {head_line(ns)};
    bool partial = false;
    for (const auto& row : rows) {
        lines.push_back(map_line(by_place, row, ns));
        partial = partial || row.samples_done < row.samples_total;
    }
    std::string text = "Mean best-of-N score; 95 % interval of N=" + std::to_string(*all_n.rbegin()) + "\n"
                       + text_table(lines, 0);
    if (partial) text += "* not all problems were sampled yet\n";
    text += "\nBest: " + score_words(best->mean) + " (95 % " + score_words(best->low) + " to "
            + score_words(best->high) + ") at T = " + temperature_words(best->temperature)
            + ", N = " + std::to_string(best->n) + ", " + grouped(static_cast<double>(best->problems_done))
            + " problems\n";
    if (auto paper = paper_beside(recipe)) text += "\n" + paper_lines(*paper, rows, cells);
    return text;
}

} // namespace tempera::cli
