#include "plumbline/engine/doctor.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <string>

#include "output.hpp"
#include "plumbline/io/namespace.hpp"
#include "verbs.hpp"

namespace plumbline::cli {

namespace json = boost::json;

namespace {

using engine::Finding;
using engine::Level;

std::size_t number_of(const std::vector<Finding>& findings, Level level) {
  return static_cast<std::size_t>(std::ranges::count(findings, level, &Finding::level));
}

json::object report_json(const std::vector<Finding>& findings) {
  json::array array;
  for (const Finding& finding : findings) {
    array.push_back({{"level", engine::format(finding.level)},
                     {"code", finding.code},
                     {"message", finding.message},
                     {"advice", finding.advice}});
  }
  return {{"problems", number_of(findings, Level::problem)},
          {"warnings", number_of(findings, Level::warning)},
          {"findings", std::move(array)}};
}

std::string in_colour(const std::string& text, Level level, bool colour) {
  if (!colour || level == Level::ok) return text;
  return (level == Level::problem ? "\033[31m" : "\033[33m") + text + "\033[0m";
}

std::string report_text(const std::vector<Finding>& findings, bool colour) {
  constexpr std::size_t level_width = 8;
  constexpr std::size_t code_width = 18;
  std::string text;
  for (const Finding& finding : findings) {
    std::string level(engine::format(finding.level));
    level.resize(level_width, ' ');
    std::string code(finding.code);
    code.resize(std::max(code_width, code.size() + 1), ' ');
    text += in_colour(level, finding.level, colour) + code + printable(finding.message) + "\n";
    if (!finding.advice.empty()) {
      text += std::string(level_width + code_width, ' ') + printable(finding.advice) + "\n";
    }
  }
  const auto counted = [&](Level level, const std::string& word) {
    const std::size_t number = number_of(findings, level);
    return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
  };
  return text + "\n" + counted(Level::problem, "problem") + ", " +
         counted(Level::warning, "warning") + ".\n";
}

}  // namespace

int doctor(const Options& options) {
  if (!options.netns.empty()) io::enter_namespace(options.netns);
  engine::Examination examination;
  examination.backend = io::parse_backend(options.iptables).value_or(io::Backend::automatic);
  const std::vector<Finding> findings = engine::examine(examination);
  if (options.json()) {
    print_json(report_json(findings));
  } else {
    std::fputs(report_text(findings, with_colour(options)).c_str(), stdout);
  }
  return number_of(findings, Level::problem) == 0 ? exit_done : exit_error;
}

}  // namespace plumbline::cli
