// What may not stand in the text of a rule of ebtables. Every option is known here, so that none is
// let pass for what it is not; what ebtables-nft-save 1.8.9 was seen to print wrong is refused too.

#include <algorithm>
#include <charconv>
#include <set>

#include "argument_refusal.hpp"
#include "ebtables_options.hpp"
#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

using Takes = EbtablesOption::Takes;

/// It keeps the first and the last of a rule's matches in what it shows and saves
/// (parse_watcher() in iptables/nft-bridge.c).
constexpr std::size_t most_matches = 2;

std::string dashed(std::string_view name) {
  return (name.size() == 1 ? "'-" : "'--") + std::string(name) + "'";
}

std::string unknown_refusal(std::string_view name, bool is_long) {
  if (name.empty()) return "the word '--' may not be in a rule";
  if (name.starts_with("among-")) {
    return "'--among' is a set of its own in nf_tables: write a rule for each address";
  }
  if (name == "m" || name == "match" || name == "comment") {
    return "ebtables has no '" + std::string(is_long ? "--" : "-") + std::string(name) + "'";
  }
  return "the option '" + std::string(is_long ? "--" : "-") + std::string(name) +
         "' may not be in a rule of ebtables, or is cut short";
}

/// It prints them between quotes, and nothing in them escaped.
std::string prefix_refusal(std::string_view prefix) {
  if (prefix.find_first_of("\"\\") == std::string_view::npos) return {};
  return "quotes and backslashes in a log prefix are not read back by ebtables-restore";
}

std::string target_refusal(std::string_view target) {
  if (target == "log" || target == "nflog") {
    return "'" + std::string(target) + "' is a watcher: write '--" + std::string(target) + "'";
  }
  const bool of_iptables = is_target(target, Family::inet) || target == "standard";
  if (!of_iptables || is_target(target, Family::bridge)) return {};
  return "'" + std::string(target) + "' is no target of ebtables";
}

/// Below 0x0600 it is no protocol, and 0x0600 itself is printed as `Length`.
std::string protocol_refusal(std::string_view protocol) {
  if (protocol.starts_with("0x") || protocol.starts_with("0X")) protocol.remove_prefix(2);
  unsigned number = 0;
  const char* const end = protocol.data() + protocol.size();
  const auto [stop, error] = std::from_chars(protocol.data(), end, number, 16);
  if (error != std::errc() || stop != end || number != 0x0600) return {};
  return "ebtables saves the protocol 0x0600 as LENGTH, which is another";
}

std::string argument_refusal(const EbtablesOption& option, std::string_view argument) {
  switch (option.takes) {
    case Takes::interface:
      return interface_refusal(argument);
    case Takes::address:
      return address_refusal(argument);
    case Takes::prefix:
      return prefix_refusal(argument);
    case Takes::target:
      return target_refusal(argument);
    case Takes::nothing:
    case Takes::anything:
      break;
  }
  return option.name == "p" || option.name.starts_with("proto") ? protocol_refusal(argument) : "";
}

std::string option_refusal(const Words& words, const RuleOption& option) {
  const bool is_long = words[option.word].starts_with("--");
  const EbtablesOption* known = ebtables_option(option.name);
  if (known == nullptr || is_long != (option.name.size() > 1)) {
    return unknown_refusal(option.name, is_long);
  }
  if (!option.argument) return {};
  // ebtables-nft 1.8.9 cannot show such a rule: it ends by a signal, as does whatever looks at it.
  if (is_negated(words, option) && *option.argument == "+") return "'! +' matches no interface";
  return argument_refusal(*known, *option.argument);
}

}  // namespace

std::string ebtables_refusal(const Words& words, const Options& options) {
  std::set<std::string_view> seen;
  for (const RuleOption& option : options) {
    if (auto problem = option_refusal(words, option); !problem.empty()) return problem;
    // Of some of them ebtables takes the last without a word.
    if (!seen.insert(option.name).second) return dashed(option.name) + " is given twice";
  }
  // vlan's checkentry in net/bridge/netfilter/ebt_vlan.c drops the priority.
  if (seen.contains("vlan-prio") && seen.contains("vlan-id")) {
    return "the kernel does not look at '--vlan-prio' beside '--vlan-id'";
  }
  if (const auto count = ebtables_matches(options).size(); count > most_matches) {
    return "ebtables saves " + std::to_string(most_matches) +
           " matches and watchers of a rule, not " + std::to_string(count) +
           ": put some into a chain of their own";
  }
  return {};
}

}  // namespace plumbline::firewall
