// Which words of a rule are options, as getopt_long(3) sees them.

#include <algorithm>
#include <array>

#include "ebtables_options.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

/// Short options of iptables that take an argument and may be in a rule.
constexpr std::string_view short_with_argument = "sdpiojgm";

/// Long options that always take an argument, and one that may well begin with a dash. Any other
/// option's argument that begins with one is taken for an option, which errs on the safe side.
constexpr std::array<std::string_view, 30> long_with_argument = {
    "source",       "src",       "destination", "dst",         "protocol",
    "proto",        "jump",      "goto",        "match",       "in-interface",
    "comment",      "string",    "hex-string",  "log-prefix",  "out-interface",
    "nflog-prefix", "name",      "path",        "physdev-in",  "hashlimit-name",
    "label",        "bytecode",  "u32",         "physdev-out", "led-trigger-id",
    "ulog-prefix",  "match-set", "add-set",     "del-set",     "nfacct-name",
};

bool takes_argument(std::string_view name, Family family) {
  if (family == Family::bridge) {
    const EbtablesOption* option = ebtables_option(name);
    return option != nullptr && option->takes != EbtablesOption::Takes::nothing;
  }
  if (name.size() == 1) return short_with_argument.find(name) != std::string_view::npos;
  return std::find(long_with_argument.begin(), long_with_argument.end(), name) !=
         long_with_argument.end();
}

/// `--name`, `--name=argument`
RuleOption long_option(std::string_view word) {
  RuleOption option;
  option.name = word.substr(2, word.find('=') - 2);
  if (option.name.size() + 2 < word.size()) option.argument = word.substr(option.name.size() + 3);
  return option;
}

/// `-j`, `-jACCEPT`; of letters put together, each is an option of its own.
void short_options(std::string_view word, std::size_t position, Family family,
                   std::vector<RuleOption>& options) {
  for (std::size_t i = 1; i < word.size(); ++i) {
    RuleOption option{word.substr(i, 1), std::nullopt, position};
    const bool with_argument = takes_argument(option.name, family);
    if (with_argument && i + 1 < word.size()) option.argument = word.substr(i + 1);
    options.push_back(option);
    if (with_argument) return;
  }
}

}  // namespace

std::vector<RuleOption> options_of(const Words& words, Family family) {
  std::vector<RuleOption> options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-') continue;
    const bool is_long = word[1] == '-';
    if (is_long) {
      options.push_back(long_option(word));
      options.back().word = i;
    } else {
      short_options(word, i, family, options);
    }
    RuleOption& last = options.back();
    if (last.argument || !takes_argument(last.name, family) || i + 1 >= words.size()) continue;
    // ebt_check_inverse2() in iptables/xtables-eb.c.
    const bool inverted = family == Family::bridge && words[i + 1] == "!" && i + 2 < words.size();
    i += inverted ? 2 : 1;
    last.argument = words[i];
  }
  return options;
}

Words separated(const Words& words, Family family) {
  Words result;
  std::size_t next = 0;
  for (const RuleOption& option : options_of(words, family)) {
    const std::string& word = words[option.word];
    const bool is_long = word.starts_with("--");
    const bool joined = option.argument && option.argument->data() >= word.data() &&
                        option.argument->data() <= word.data() + word.size();
    if (!joined || option.argument->empty() || (!is_long && word[1] != option.name[0])) continue;
    while (next < option.word) result.push_back(words[next++]);
    result.push_back((is_long ? "--" : "-") + std::string(option.name));
    result.emplace_back(*option.argument);
    ++next;
  }
  while (next < words.size()) result.push_back(words[next++]);
  return result;
}

std::size_t rules_made_of(const Words& words, Family family) {
  if (family == Family::bridge) return 1;
  std::size_t rules = 1;
  for (const RuleOption& option : options_of(words)) {
    constexpr std::array<std::string_view, 6> lists{"s", "source",      "src",
                                                    "d", "destination", "dst"};
    if (std::ranges::find(lists, option.name) == lists.end() || !option.argument) continue;
    if (rules > max_rules_of_one) break;
    rules *= 1 + static_cast<std::size_t>(std::ranges::count(*option.argument, ','));
  }
  return rules;
}

std::vector<std::string> jumps_of(const Words& words) {
  std::vector<std::string> targets;
  for (const RuleOption& option : options_of(words)) {
    const bool jumps =
        option.name == "j" || option.name == "jump" || option.name == "g" || option.name == "goto";
    if (jumps && option.argument) targets.emplace_back(*option.argument);
  }
  return targets;
}

std::vector<std::string> comments_of(const Words& words) {
  std::vector<std::string> comments;
  for (const RuleOption& option : options_of(words)) {
    if (option.name == "comment" && option.argument) comments.emplace_back(*option.argument);
  }
  return comments;
}

}  // namespace plumbline::firewall
