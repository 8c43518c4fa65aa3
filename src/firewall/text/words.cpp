// How iptables-restore splits and joins the words of a rule, and which of them are options, as
// getopt_long(3) sees them.

#include <algorithm>
#include <array>
#include <utility>

#include "ebtables_options.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

bool is_plain(char c) {
  constexpr std::string_view others = "_-./:,=+!@%[]{}()<>|^~*&?#$;";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != std::string_view::npos;
}

/// Of a line of them, but for what is escaped.
std::size_t size_of(std::span<const std::string> words) {
  std::size_t size = 0;
  for (const std::string& word : words) size += word.size() + 3;
  return size;
}

void append_quoted(std::string& line, std::string_view word) {
  line += '"';
  for (const char c : word) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

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
void short_options(std::string_view word, std::size_t position, Family family, Options& options) {
  for (std::size_t i = 1; i < word.size(); ++i) {
    RuleOption option{word.substr(i, 1), std::nullopt, position};
    const bool with_argument = takes_argument(option.name, family);
    if (with_argument && i + 1 < word.size()) option.argument = word.substr(i + 1);
    options.push_back(option);
    if (with_argument) return;
  }
}

}  // namespace

std::optional<Words> split_words(std::string_view text) {
  Words words;
  words.reserve(1 + static_cast<std::size_t>(std::ranges::count(text, ' ')));
  std::string word;
  bool quoted = false;
  bool escaped = false;
  for (const char c : text) {
    if (quoted) {
      if (escaped || (c != '\\' && c != '"')) {
        word += c;
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else {
        words.push_back(std::move(word));
        word.clear();
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c != ' ' && c != '\t' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (quoted) return std::nullopt;
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string join_words(std::span<const std::string> words) {
  std::string line;
  line.reserve(size_of(words));
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
      line += word;
    } else {
      append_quoted(line, word);
    }
  }
  return line;
}

std::string quote_words(std::span<const std::string> words) {
  std::string line;
  line.reserve(size_of(words));
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    append_quoted(line, word);
  }
  return line;
}

Options options_of(const Words& words, Family family) {
  Options options;
  options.reserve(words.size() / 2 + 1);
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

Words separated(Words words, Family family) {
  const Options options = options_of(words, family);
  const auto is_joined = [&](const RuleOption& option) {
    const std::string& word = words[option.word];
    return option.argument && !option.argument->empty() && option.argument->data() >= word.data() &&
           option.argument->data() <= word.data() + word.size() &&
           (word.starts_with("--") || word[1] == option.name[0]);
  };
  if (std::ranges::none_of(options, is_joined)) return words;
  Words result;
  std::size_t next = 0;
  for (const RuleOption& option : options) {
    if (!is_joined(option)) continue;
    while (next < option.word) result.push_back(words[next++]);
    const bool is_long = words[option.word].starts_with("--");
    result.push_back((is_long ? "--" : "-") + std::string(option.name));
    result.emplace_back(*option.argument);
    ++next;
  }
  while (next < words.size()) result.push_back(words[next++]);
  return result;
}

std::size_t rules_made_of(const Options& options, Family family) {
  if (family == Family::bridge) return 1;
  std::size_t rules = 1;
  for (const RuleOption& option : options) {
    constexpr std::array<std::string_view, 6> lists{"s", "source",      "src",
                                                    "d", "destination", "dst"};
    if (std::ranges::find(lists, option.name) == lists.end() || !option.argument) continue;
    if (rules > max_rules_of_one) break;
    rules *= 1 + static_cast<std::size_t>(std::ranges::count(*option.argument, ','));
  }
  return rules;
}

std::vector<std::string> jumps_of(const Options& options) {
  std::vector<std::string> targets;
  for (const RuleOption& option : options) {
    const bool jumps =
        option.name == "j" || option.name == "jump" || option.name == "g" || option.name == "goto";
    if (jumps && option.argument) targets.emplace_back(*option.argument);
  }
  return targets;
}

std::vector<std::string> comments_of(const Options& options) {
  std::vector<std::string> comments;
  for (const RuleOption& option : options) {
    if (option.name == "comment" && option.argument) comments.emplace_back(*option.argument);
  }
  return comments;
}

}  // namespace plumbline::firewall
