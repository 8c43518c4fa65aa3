#include "tests/sim/recorded_compiler.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace plumbline::sim {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

std::string hex(const wire::Bytes& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

wire::Bytes bytes_of(const std::string& text) {
  wire::Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto high = digits.find(text[i]);
    const auto low = digits.find(text[i + 1]);
    if (high == digits.npos || low == digits.npos) throw std::runtime_error("no hex: " + text);
    bytes.push_back(static_cast<std::byte>(high << 4U | low));
  }
  return bytes;
}

std::string read(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string question(Family family, const std::string& table, const FirewallRule& rule) {
  return std::string(plumbline::format(family)) + " " + table + " " + rule.text();
}

std::string format(const RecordedRules& rules) {
  std::string text;
  for (const auto& [asked, rule] : rules) {
    const firewall::RuleCode& code = rule.code().value();
    text += asked + "\t" + rule.text() + "\t" + hex(code.userdata) + "\t" + hex(code.expressions);
    for (const std::string& set : code.sets) text += "\t" + set;
    text += "\n";
  }
  return text;
}

RecordedRules parse_recorded(const std::string& text) {
  RecordedRules rules;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> parts;
    std::istringstream words(line);
    for (std::string part; std::getline(words, part, '\t');) parts.push_back(part);
    if (parts.size() < 4) throw std::runtime_error("no recorded rule: " + line);
    firewall::RuleCode code;
    code.userdata = bytes_of(parts[2]);
    code.expressions = bytes_of(parts[3]);
    code.sets.assign(parts.begin() + 4, parts.end());
    rules.emplace(parts[0], FirewallRule(parts[1], std::move(code)));
  }
  return rules;
}

const RecordedRules& recorded_rules() {
  static const RecordedRules rules = parse_recorded(read(recorded_rules_path));
  return rules;
}

void RecordedCompiler::compile(spec::Desired& desired, const State& /*have*/,
                               Diagnostics& diagnostics) {
  const auto compiled = [&](const RuleList& wanted, const auto& chain) {
    RuleList::Rules rules;
    for (const FirewallRule& rule : wanted) {
      const auto found = recorded_rules().find(question(chain.family, chain.table, rule));
      if (found == recorded_rules().end()) {
        diagnostics.error(Code::invalid_iptables_rule, "not recorded: " + rule.text(), {});
        continue;
      }
      rules.push_back(found->second);
      for (const std::string& name : found->second.chains()) {
        desired.chains.insert({chain.family, chain.table, name});
      }
    }
    return RuleList(std::move(rules));
  };
  for (Chain& chain : desired.state.of<Chain>()) {
    desired.chains.insert({chain.family, chain.table, chain.name});
    chain.rules = compiled(chain.rules, chain);
  }
  for (SharedChain& chain : desired.state.of<SharedChain>()) {
    chain.insert = compiled(chain.insert, chain);
    chain.append = compiled(chain.append, chain);
  }
}

const firewall::RuleBook& RecordedCompiler::book() const {
  static const firewall::RuleBook all = [] {
    auto book = std::make_shared<FirewallRuleSet>();
    for (const auto& [asked, rule] : recorded_rules()) book->insert(rule);
    return book;
  }();
  return all;
}

}  // namespace plumbline::sim
