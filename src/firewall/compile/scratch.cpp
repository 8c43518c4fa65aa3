#include "scratch.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "plumbline/firewall/observe/ruleset.hpp"
#include "plumbline/firewall/observe/saved.hpp"

namespace plumbline::firewall {

namespace {

/// So many rules are named at once; a spec with more has another kind of fault.
constexpr std::size_t most_refusals = 200;

/// What iptables-restore said about one line of its input; line 0 when it named none.
struct Complaint {
  std::size_t line = 0;
  std::string reason;
};

/// The number behind `before`, and what follows it.
std::optional<std::size_t> number_behind(std::string_view& text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + before.size());
  std::size_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// `line 3: RULE_APPEND failed (Invalid argument): rule in chain X`, what the kernel told
/// iptables-nft-restore. Only the first counts: once a jump has led packets to a rule that cannot
/// be there, every rule behind it fails too (nft_table_validate() in
/// net/netfilter/nf_tables_api.c).
std::optional<Complaint> kernel_complaint(std::string_view message) {
  const auto line = number_behind(message, "line ");
  const std::size_t open = message.find('(');
  const std::size_t close = message.find(')', open);
  if (!line || !message.starts_with(": ") || close == std::string_view::npos) return std::nullopt;
  const std::string reason(message.substr(open + 1, close - open - 1));
  return Complaint{*line, "the kernel does not take it here (" + reason + ")"};
}

Complaint complaint_in(const std::string& message) {
  std::string_view rest = message;
  // iptables itself: `NAME vVERSION (BACKEND): REASON; Error occurred at line: 3`
  constexpr std::string_view at_line = "Error occurred at line: ";
  if (const auto line = number_behind(rest, at_line)) {
    std::string reason = message.substr(0, message.find(at_line));
    if (const auto name = reason.find("): "); name != std::string::npos) reason.erase(0, name + 3);
    while (reason.ends_with(' ') || reason.ends_with(';')) reason.pop_back();
    return {*line, std::move(reason)};
  }
  if (auto complaint = kernel_complaint(message)) return *complaint;
  // `line 5 failed`, where 5 is the COMMIT: all that iptables-legacy-restore knows.
  rest = message;
  const auto line = number_behind(rest, "line ");
  return {line.value_or(0), message};
}

}  // namespace

Scratch::Scratch(io::ScratchHost& scratch, WantedRules& rules, Diagnostics& diagnostics)
    : scratch_(&scratch),
      rules_(&rules),
      diagnostics_(&diagnostics),
      uses_nft_(firewall::uses_nft(rules.family(), scratch.backend() == io::Backend::nft)) {}

void Scratch::run(WantedRules::Form form) {
  make_sets(*rules_);
  if (rules_->read_back(load(form))) return;
  // All rules are kept apart now.
  static_cast<void>(rules_->read_back(load(form)));
}

bool Scratch::try_part(WantedRules& part) {
  make_sets(part);
  for (int turn = 0; turn < 2; ++turn) {
    if (restore(part.input(WantedRules::Form::written).text).error != 0) return false;
    if (part.read_back(save())) return true;
  }
  return false;
}

std::vector<HaveChain> Scratch::load(WantedRules::Form form) {
  while (true) {
    const Input input = rules_->input(form);
    wire::Reply reply = restore(input.text);
    if (reply.error != 0 && io::tells_of_shortage(reply.message)) reply = restore(input.text);
    if (reply.error == 0) return save();
    if (refusals_ >= most_refusals) {
      throw io::HostError("iptables refuses more than " + std::to_string(most_refusals) + " rules");
    }
    if (!declare_missing(reply.message)) blame(input, reply.message, form);
  }
}

void Scratch::refuse(WantedRule& rule, const std::string& reason) {
  if (rule.refused) return;
  rule.refused = true;
  ++refusals_;
  diagnostics_->error(Code::invalid_iptables_rule, "'" + rule.text() + "': " + reason,
                      rule.origin == nullptr ? Origin() : *rule.origin);
}

void Scratch::make_sets(const WantedRules& rules) {
  std::set<std::string_view> names;
  for (const WantedChain& chain : rules.chains()) {
    for (const WantedRule& rule : chain.rules) {
      names.insert(rule.written->sets().begin(), rule.written->sets().end());
    }
  }
  for (const std::string_view name : names) {
    // A set of that name is there from before, or the restore will say that there is none.
    static_cast<void>(exchange(wire::NetfilterQuery{set_creation(name)}));
  }
}

wire::Reply Scratch::restore(const std::string& text) {
  scratch_->reset();
  wire::Reply reply = exchange(wire::FirewallRestore{rules_->family(), text});
  // No rule is to blame for a program that was killed or never ended.
  if (reply.error != 0 && reply.error != EINVAL) {
    throw io::HostError("iptables-restore: " + reply.message, reply.error);
  }
  return reply;
}

wire::Reply Scratch::exchange(const wire::Request& request) {
  return scratch_->exchange(std::span(&request, 1)).front();
}

/// As iptables prints it, and on nf_tables as the kernel holds it.
std::vector<HaveChain> Scratch::save() {
  Saved saved = ask_for_saved(*scratch_, rules_->family());
  if (uses_nft_) return with_code(std::move(saved.chains));
  std::vector<HaveChain> chains;
  for (SavedChain& chain : saved.chains) {
    chains.push_back(have_chain(rules_->family(), std::move(chain)));
  }
  return chains;
}

std::vector<HaveChain> Scratch::with_code(std::vector<SavedChain> saved) {
  Nfnetlink kernel(*scratch_);
  std::map<Chain::Key, std::vector<RuleCode>> codes;
  for (DumpedRule& rule : kernel.all_rules()) {
    auto& of_chain = codes[{rule.family, rule.table, rule.chain}];
    of_chain.push_back(kernel.code(std::move(rule)));
  }
  std::vector<HaveChain> chains;
  for (SavedChain& from : saved) {
    HaveChain& chain = chains.emplace_back();
    chain.family = rules_->family();
    chain.table = std::move(from.table);
    chain.name = std::move(from.name);
    std::vector<RuleCode>& code = codes[{chain.family, chain.table, chain.name}];
    if (code.size() != from.rules.size()) {
      throw io::HostError("iptables-save prints other rules than nf_tables holds");
    }
    // The text of ebtables has no room for our mark in every rule.
    const bool claimed =
        chain.family == Family::bridge && rules_->is_shared(chain.table, chain.name);
    chain.rules.reserve(code.size());
    for (std::size_t i = 0; i < code.size(); ++i) {
      if (claimed) code[i].userdata = chain_claim();
      chain.rules.emplace_back(std::move(from.rules[i]), std::move(code[i]));
    }
  }
  return chains;
}

/// A jump to a chain that is not there yet is no fault: the plan waits for the chain. It is
/// declared only when iptables asks for it, as it could be a target that we do not know.
bool Scratch::declare_missing(std::string_view message) {
  const auto names = rules_->undeclared();
  return std::ranges::any_of(names, [&](const std::string& name) {
    const bool asked = message.find("'" + name + "'") != std::string_view::npos ||
                       message.find("`" + name + "'") != std::string_view::npos;
    return asked && rules_->add_stub(name);
  });
}

void Scratch::blame(const Input& input, const std::string& message, WantedRules::Form form) {
  const Complaint complaint = complaint_in(message);
  if (complaint.line >= input.lines.size()) throw io::HostError(message);
  if (WantedRule* rule = input.lines[complaint.line]; rule != nullptr) {
    refuse(*rule, form == WantedRules::Form::written
                      ? complaint.reason
                      : "iptables does not read back what it saves: " + complaint.reason);
  } else if (io::tells_of_shortage(message)) {
    throw io::HostError("iptables-restore: " + message);
  } else if (!input.tables[complaint.line].empty()) {
    search(input, input.tables[complaint.line], message, form);
  } else {
    throw io::HostError(message);
  }
}

/// Halves the rules of a table until the first is found with which it cannot be loaded.
void Scratch::search(const Input& input, const std::string& table, const std::string& message,
                     WantedRules::Form form) {
  std::vector<WantedRule*> suspects;
  for (std::size_t i = 0; i < input.lines.size(); ++i) {
    WantedRule* rule = input.lines[i];
    const bool repeated = !suspects.empty() && suspects.back() == rule;
    if (rule != nullptr && input.tables[i] == table && !repeated) suspects.push_back(rule);
  }
  std::size_t good = 0;
  std::size_t bad = suspects.size();
  while (good + 1 < bad) {
    const std::size_t middle = good + (bad - good) / 2;
    const std::set<const WantedRule*> included(
        suspects.begin(), suspects.begin() + static_cast<std::ptrdiff_t>(middle));
    const Input part =
        rules_->input(form, [&](const WantedRule& rule) { return included.contains(&rule); });
    (restore(part.text).error == 0 ? good : bad) = middle;
  }
  if (suspects.empty()) throw io::HostError(message);
  refuse(*suspects[bad - 1], "the kernel does not take it here (iptables gives no reason)");
}

}  // namespace plumbline::firewall
