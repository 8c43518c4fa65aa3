#include <algorithm>
#include <array>

#include "plumbline/spec/assignments.hpp"
#include "text.hpp"

namespace plumbline::report {

using doctor::Finding;
using doctor::Level;
using spec::Assignment;

namespace {

std::string in_colour(const std::string& text, Level level, bool colour) {
  if (!colour || level == Level::ok) return text;
  return (level == Level::problem ? "\033[31m" : "\033[33m") + text + "\033[0m";
}

}  // namespace

std::string to_text(const std::vector<Assignment>& guests) {
  using Row = std::array<std::string, 7>;
  std::vector<Row> rows{{"NETWORK", "VM", "INTERFACE", "TAP", "IP", "MAC", "KERNEL ARGUMENT"}};
  for (const Assignment& guest : guests) {
    rows.push_back({format(guest.network), printable(guest.vm), printable(guest.interface),
                    format(guest.tap), format(guest.ip), format(guest.mac),
                    spec::boot_args(guest)});
  }
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      widths.at(i) = std::max(widths.at(i), row.at(i).size() + 2);
    }
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row.at(i);
      if (i + 1 < row.size()) text.append(widths.at(i) - row.at(i).size(), ' ');
    }
    text += '\n';
  }
  return text;
}

std::string to_text(const std::vector<Finding>& findings, bool colour) {
  constexpr std::size_t level_width = 8;
  constexpr std::size_t code_width = 18;
  std::string text;
  for (const Finding& finding : findings) {
    std::string level(doctor::format(finding.level));
    level.resize(level_width, ' ');
    std::string code(finding.code);
    code.resize(std::max(code_width, code.size() + 1), ' ');
    text += in_colour(level, finding.level, colour) + code + printable(finding.message) + "\n";
    if (!finding.advice.empty()) {
      text += std::string(level_width + code_width, ' ') + printable(finding.advice) + "\n";
    }
  }
  const auto counted = [&](Level level, const std::string& word) {
    const auto number = std::ranges::count(findings, level, &Finding::level);
    return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
  };
  return text + "\n" + counted(Level::problem, "problem") + ", " +
         counted(Level::warning, "warning") + ".\n";
}

}  // namespace plumbline::report
