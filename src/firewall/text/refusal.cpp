// What may not stand in the text of a rule, because iptables would do something else with it than
// what a reader of the spec expects.

#include <algorithm>
#include <array>
#include <utility>

#include "argument_refusal.hpp"
#include "plumbline/base/diagnostics.hpp"
#include "plumbline/base/ip.hpp"
#include "plumbline/base/number.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

/// A line of restore input is read into 10240 bytes, and the rest of a longer one as a new line;
/// kept well below, as `-A CHAIN` and our comment come on top.
constexpr std::size_t max_line = 9800;
constexpr std::size_t max_word = 1023;
/// Of 255; the program's name, the table, the command, the chain and our comment come on top.
constexpr std::size_t max_words = 245;
constexpr std::size_t max_chain_name = 28;
/// A match takes 2 KiB in a rule (u32 does), and the kernel ends its list of all rules without a
/// word at one that takes more than 32 KiB (nf_tables_dump_rules() in
/// net/netfilter/nf_tables_api.c); iptables 1.8.9 sends one of more than 64 KiB with some of its
/// matches only.
constexpr std::size_t max_matches = 15;

/// Options of iptables itself that may not be in a rule, or that say nothing there.
constexpr std::array<std::string_view, 27> forbidden = {
    "table",   "append",       "check",        "delete",  "insert",        "replace",
    "list",    "list-rules",   "flush",        "zero",    "new-chain",     "delete-chain",
    "policy",  "rename-chain", "modprobe",     "numeric", "set-counters",  "wait",
    "verbose", "exact",        "line-numbers", "version", "wait-interval", "help",
    "ipv4",    "ipv6",         "object-pinned"};

/// Options whose arguments are looked at here, so that they must be written in full.
constexpr std::array<std::string_view, 10> in_full = {
    "source", "destination", "in-interface", "out-interface", "jump",
    "goto",   "match",       "comment",      "log-prefix",    "nflog-prefix"};

/// What `-j` of ebtables takes and that is no target in its manual.
constexpr std::array<std::string_view, 3> watchers = {"log", "nflog", "standard"};

constexpr std::array<std::string_view, 5> exact = {"src", "dst", "proto", "protocol", "fragment"};

template <std::size_t Size>
std::string_view with_prefix(const std::array<std::string_view, Size>& names,
                             std::string_view prefix) {
  for (const std::string_view name : names) {
    if (name.starts_with(prefix)) return name;
  }
  return {};
}

template <std::size_t Size>
bool holds(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// iptables-restore(8) would look a name up, and read 010.1.1.1 as 8.1.1.1 and 10.1 as 10.1.0.0.
bool is_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return false;
  if (slash == std::string_view::npos) return true;
  const std::string_view mask = text.substr(slash + 1);
  if (const auto length = parse_number<unsigned>(mask)) {
    return *length <= address_bits(address->family());
  }
  const auto bits = IpAddress::parse(mask);
  return bits && bits->family() == address->family();
}

std::string argument_refusal(std::string_view name, std::string_view argument) {
  if (name == "s" || name == "source" || name == "src" || name == "d" || name == "destination" ||
      name == "dst") {
    return address_refusal(argument);
  }
  if (name == "i" || name == "in-interface" || name == "o" || name == "out-interface") {
    return interface_refusal(argument);
  }
  if (name == "comment") return limit("the comment", argument, max_comment);
  if (name == "log-prefix") return limit("the log prefix", argument, 29);
  if (name == "nflog-prefix") return limit("the nflog prefix", argument, 127);
  return {};
}

std::string short_refusal(std::string_view name) {
  constexpr std::string_view allowed = "sdpiojgmf";
  if (allowed.find(name) != std::string_view::npos) return {};
  return "the option '-" + std::string(name) + "' may not be in a rule";
}

/// getopt_long(3) takes any beginning of an option's name that fits no other; an exact one wins.
std::string long_refusal(std::string_view name, const std::vector<std::string_view>& matches) {
  if (name.empty()) return "the word '--' may not be in a rule";
  if (holds(in_full, name) || holds(exact, name)) return {};
  const auto loaded = [&](std::string_view match) {
    return std::find(matches.begin(), matches.end(), match) != matches.end();
  };
  // The options of matches that begin as one of iptables itself does.
  if (name == "set" && (loaded("recent") || loaded("connlabel"))) return {};
  if (name == "pol" && loaded("policy")) return {};
  if (const auto full = with_prefix(forbidden, name); !full.empty()) {
    return "the option '--" + std::string(name) + "'" +
           (full == name ? "" : " (short for '--" + std::string(full) + "')") +
           " may not be in a rule";
  }
  if (const auto full = with_prefix(in_full, name); !full.empty()) {
    return "the option '--" + std::string(name) + "' is cut short: write '--" + std::string(full) +
           "'";
  }
  return {};
}

}  // namespace

std::string limit(std::string_view what, std::string_view value, std::size_t most) {
  if (value.size() <= most) return {};
  return std::string(what) + " is " + std::to_string(value.size()) + " bytes long, the most is " +
         std::to_string(most);
}

std::string address_refusal(std::string_view list) {
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view one = list.substr(0, comma);
    if (!is_address(one)) {
      return "'" + std::string(one) + "' is no address or prefix (names are not looked up)";
    }
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

std::string interface_refusal(std::string_view name) {
  if (name.empty()) return "an empty interface name";
  return limit("the interface name '" + std::string(name) + "'", name, 15);
}

bool is_negated(const Words& words, const RuleOption& option) {
  if (option.word > 0 && words[option.word - 1] == "!") return true;
  return option.argument && option.word + 2 < words.size() && words[option.word + 1] == "!" &&
         option.argument->data() == words[option.word + 2].data();
}

std::string byte_refusal(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\r') return "a line break in the text";
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return "a control character in the text";
  }
  return is_utf8(text) ? "" : "the text is not UTF-8";
}

SplitText split_text(std::string_view text) {
  if (auto problem = byte_refusal(text); !problem.empty()) return {{}, std::move(problem)};
  auto words = split_words(text);
  if (!words) return {{}, "a quote is not closed"};
  std::string problem = words_refusal(*words);
  return {*std::move(words), std::move(problem)};
}

std::string words_refusal(const Words& words) {
  if (words.size() > max_words) {
    return std::to_string(words.size()) + " words, iptables takes " + std::to_string(max_words);
  }
  std::size_t bytes = 0;
  for (const std::string& word : words) {
    if (auto problem = limit("a word", word, max_word); !problem.empty()) return problem;
    bytes += word.size();
  }
  // Each byte may need a backslash, and each word has two quotes and a space.
  if (2 * bytes + 3 * words.size() <= max_line) return {};
  return limit("the rule", quote_words(words), max_line);
}

std::string refusal(const Words& words, const Options& options, Family family) {
  if (family == Family::bridge) return ebtables_refusal(words, options);
  std::vector<std::string_view> matches;
  for (const RuleOption& option : options) {
    const bool is_long = words[option.word].starts_with("--");
    if (option.argument && (option.name == "m" || option.name == "match")) {
      matches.push_back(*option.argument);
      if (matches.size() > max_matches) {
        return "more than " + std::to_string(max_matches) +
               " matches, which the kernel could not list again: put some into a chain of their "
               "own";
      }
    }
    std::string problem = is_long ? long_refusal(option.name, matches) : short_refusal(option.name);
    if (problem.empty() && option.argument) {
      problem = argument_refusal(option.name, *option.argument);
    }
    // Saved without it, so that a rule for no packet would become one for every packet.
    if (problem.empty() && is_negated(words, option) && option.argument == "+") {
      problem = "'! +' matches no interface";
    }
    if (!problem.empty()) return problem;
  }
  if (const std::size_t made = rules_made_of(options, family); made > max_rules_of_one) {
    return "iptables would make " + std::to_string(made) + " rules of it, and " +
           std::to_string(max_rules_of_one) +
           " are the most: write an ipset, or a chain for each of the two lists";
  }
  return {};
}

std::string chain_name_refusal(std::string_view name, Family family) {
  if (name.empty()) return "a chain needs a name";
  if (name.size() > max_chain_name) return limit("the name", name, max_chain_name);
  if (name[0] == '-' || name[0] == '!') return "a name may not begin with '-' or '!'";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) return "white space and control characters are not allowed";
    if (c == '"' || c == '\\') return "quotes and backslashes are not allowed";
  }
  if (!is_utf8(name)) return "the name is not UTF-8";
  if (is_target(name)) return "'" + std::string(name) + "' is a target of iptables";
  const bool of_ebtables = is_target(name, Family::bridge) || holds(watchers, name);
  if (family == Family::bridge && of_ebtables) {
    return "'" + std::string(name) + "' is a target of ebtables";
  }
  return {};
}

bool is_target(std::string_view name, Family family) {
  if (family == Family::bridge) {
    static constexpr std::array<std::string_view, 9> targets = {
        "ACCEPT", "DROP", "CONTINUE", "RETURN", "arpreply", "dnat", "mark", "redirect", "snat"};
    return holds(targets, name);
  }
  static constexpr std::array<std::string_view, 51> targets = {
      "ACCEPT",   "AUDIT",     "CHECKSUM", "CLASSIFY", "CLUSTERIP",   "CONNMARK",   "CONNSECMARK",
      "CT",       "DNAT",      "DNPT",     "DROP",     "DSCP",        "ECN",        "HL",
      "HMARK",    "IDLETIMER", "LED",      "LOG",      "MARK",        "MASQUERADE", "MIRROR",
      "NAT",      "NETMAP",    "NFLOG",    "NFQUEUE",  "NOTRACK",     "QUEUE",      "RATEEST",
      "REDIRECT", "REJECT",    "RETURN",   "SAME",     "SECMARK",     "SET",        "SNAT",
      "SNPT",     "SYNPROXY",  "TARPIT",   "TCPMSS",   "TCPOPTSTRIP", "TEE",        "TOS",
      "TPROXY",   "TRACE",     "TTL",      "ULOG",     "XOR",         "BALANCE",    "ROUTE",
      "ACCOUNT",  "CHAOS"};
  return holds(targets, name);
}

}  // namespace plumbline::firewall
