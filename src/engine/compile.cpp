#include "plumbline/engine/compile.hpp"

#include <algorithm>
#include <charconv>

#include "plumbline/engine/ruleset.hpp"
#include "rule_set.hpp"

namespace plumbline::engine {

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

/// Loads one family's rules, and finds out which of them cannot be.
class Load {
 public:
  Load(io::ScratchHost& scratch, RuleSet& rules, Diagnostics& diagnostics)
      : scratch_(&scratch),
        rules_(&rules),
        diagnostics_(&diagnostics),
        linked_(is_linked(rules.family(), scratch.backend() == io::Backend::nft)) {}

  [[nodiscard]] bool linked() const { return linked_; }

  /// What was loaded, once nothing is refused any more.
  std::vector<SeenChain> run(RuleSet::Form form,
                             const std::function<bool(const WantedRule&)>& included = {}) {
    while (true) {
      const Input input = rules_->input(form, included);
      const wire::Reply reply = restore(input.text);
      if (reply.error == 0) return save();
      if (refusals_ >= most_refusals) {
        throw io::HostError("iptables refuses more than " + std::to_string(most_refusals) +
                            " rules");
      }
      if (!declare_missing(reply.message)) blame(input, reply.message, form);
    }
  }

  void refuse(WantedRule& rule, const std::string& reason) {
    if (rule.refused) return;
    rule.refused = true;
    ++refusals_;
    diagnostics_->error(Code::invalid_iptables_rule, "'" + rule.text + "': " + reason, rule.origin);
  }

 private:
  wire::Reply restore(const std::string& text) {
    scratch_->reset();
    return exchange(wire::FirewallRestore{rules_->family(), text});
  }

  wire::Reply exchange(const wire::Request& request) {
    return scratch_->exchange(std::span(&request, 1)).front();
  }

  /// As iptables prints it, and on nf_tables as the kernel holds it.
  std::vector<SeenChain> save() {
    const wire::Request request = wire::FirewallDump{rules_->family()};
    const wire::Reply reply = exchange(request);
    if (reply.error != 0) throw io::HostError("iptables-save: " + reply.message);
    std::vector<SeenChain> chains = seen_in(request, reply);
    if (linked_) add_code(chains);
    return chains;
  }

  void add_code(std::vector<SeenChain>& chains) {
    Nfnetlink kernel(*scratch_);
    std::map<Chain::Key, std::vector<wire::RuleCode>> codes;
    for (const wire::DumpedRule& rule : kernel.all_rules()) {
      codes[{rule.family, rule.table, rule.chain}].push_back(kernel.code(rule));
    }
    for (SeenChain& chain : chains) {
      auto& code = codes[{chain.family, chain.table, chain.name}];
      if (code.size() != chain.rules.size()) {
        throw io::HostError("iptables-save prints other rules than nf_tables holds");
      }
      // The text of ebtables has no room for our mark in every rule.
      const bool claimed =
          chain.family == Family::bridge && rules_->is_shared(chain.table, chain.name);
      for (std::size_t i = 0; i < code.size(); ++i) {
        if (claimed) code[i].userdata = chain_claim();
        chain.rules[i] = FirewallRule(chain.rules[i].text(), std::move(code[i]));
      }
    }
  }

  /// A jump to a chain that is not there yet is no fault: the plan waits for the chain. It is
  /// declared only when iptables asks for it, as it could be a target that we do not know.
  bool declare_missing(std::string_view message) {
    const auto names = rules_->undeclared();
    return std::ranges::any_of(names, [&](const std::string& name) {
      const bool asked = message.find("'" + name + "'") != std::string_view::npos ||
                         message.find("`" + name + "'") != std::string_view::npos;
      return asked && rules_->add_stub(name);
    });
  }

  void blame(const Input& input, const std::string& message, RuleSet::Form form) {
    const Complaint complaint = complaint_in(message);
    if (complaint.line >= input.lines.size()) throw io::HostError(message);
    if (WantedRule* rule = input.lines[complaint.line]; rule != nullptr) {
      refuse(*rule, form == RuleSet::Form::written
                        ? complaint.reason
                        : "iptables does not read back what it saves: " + complaint.reason);
    } else if (!input.tables[complaint.line].empty()) {
      search(input, input.tables[complaint.line], message, form);
    } else {
      throw io::HostError(message);
    }
  }

  /// Halves the rules of a table until the first is found with which it cannot be loaded.
  void search(const Input& input, const std::string& table, const std::string& message,
              RuleSet::Form form) {
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

  io::ScratchHost* scratch_;
  RuleSet* rules_;
  Diagnostics* diagnostics_;
  bool linked_;
  std::size_t refusals_ = 0;
};

/// Whether an argument of that option is saved as another, as far as the options are the same.
bool is_cut(const WantedRule& rule, std::string_view option) {
  if (rule.text.find(option) == std::string::npos || rule.saved.empty()) return false;
  const auto argument = [&](const std::string& text) -> std::string {
    const auto words = wire::split_words(text);
    if (!words) return {};
    for (const wire::RuleOption& found : wire::options_of(*words)) {
      if (found.name == option && found.argument) return std::string(*found.argument);
    }
    return {};
  };
  return argument(rule.text) != argument(rule.saved.front().text());
}

/// What has to be true of the saved rules for a plan to come to rest.
void check_saved(RuleSet& rules, Load& load, Diagnostics& diagnostics) {
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) {
      if (rule.refused) continue;
      if (is_cut(rule, "nflog-prefix")) {
        diagnostics.warning(Code::invalid_iptables_rule,
                            "'" + rule.text + "': this iptables cuts the prefix", rule.origin);
      }
      if (rule.saved.empty()) load.refuse(rule, "iptables makes no rule of it");
      if (chain.shared && !std::ranges::all_of(rule.saved, &FirewallRule::carries_mark)) {
        load.refuse(rule, "iptables does not keep the comment that marks it as ours");
      }
    }
  }
}

std::string first_text(const RuleList::Rules& rules) {
  return rules.empty() ? std::string() : rules.front().text();
}

/// Whether the saved form, loaded, is saved as itself: else, where text is compared, no second plan
/// would be empty.
void check_fixed_point(RuleSet& rules, Load& load) {
  std::vector<RuleList::Rules> before;
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) before.push_back(rule.saved);
  }
  static_cast<void>(rules.read_back(load.run(RuleSet::Form::saved)));
  auto it = before.begin();
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) {
      if (!rule.refused && rule.saved != *it) {
        load.refuse(rule, "iptables saves it as '" + first_text(*it) +
                              "' and reads that back as another rule");
      }
      ++it;
    }
  }
}

/// A negation that is not saved: the kernel holds what was asked for, or what iptables made of it,
/// but whoever saves and restores the rules has others then.
void warn_of_lost_negations(RuleSet& rules, Diagnostics& diagnostics) {
  const auto negations = [](std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = text.find("! "); at != std::string_view::npos;
         at = text.find("! ", at + 1)) {
      ++count;
    }
    return count;
  };
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) {
      if (rule.refused || rule.saved.size() != 1) continue;
      if (negations(rule.text) <= negations(rule.saved.front().text())) continue;
      diagnostics.warning(Code::invalid_iptables_rule,
                          "'" + rule.text + "': iptables saves it without the negation, as '" +
                              rule.saved.front().text() + "'",
                          rule.origin);
    }
  }
}

}  // namespace

std::set<std::string> named_sets(const spec::Desired& desired) {
  std::set<std::string> names;
  const auto look = [&](const RuleList& rules) {
    for (const FirewallRule& rule : rules) {
      names.insert(rule.sets().begin(), rule.sets().end());
    }
  };
  for (const Chain& chain : desired.state.of<Chain>()) look(chain.rules);
  for (const SharedChain& chain : desired.state.of<SharedChain>()) {
    look(chain.insert);
    look(chain.append);
  }
  return names;
}

void Compiler::make_sets(const spec::Desired& desired) {
  for (const std::string& name : named_sets(desired)) {
    // A set of that name is there from before, or the restore will say that there is none.
    const wire::Request request = wire::NetfilterQuery{wire::set_creation(name)};
    static_cast<void>(scratch_->exchange(std::span(&request, 1)));
  }
}

bool Compiler::is_last(const spec::Desired& desired, const State& have) const {
  return last_ && last_->chains == desired.state.of<Chain>() &&
         last_->shared == desired.state.of<SharedChain>() && last_->have == have.of<Chain>();
}

void Compiler::compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics) {
  auto& chains = desired.state.of<Chain>();
  auto& shared = desired.state.of<SharedChain>();
  if (std::string now = scratch_->circumstances(); now != circumstances_) {
    circumstances_ = std::move(now);
    last_.reset();
    saved_.clear();
  }
  if (is_last(desired, have)) {
    chains = last_->compiled_chains;
    shared = last_->compiled_shared;
    return;
  }
  last_.reset();
  Last last{chains, shared, have.of<Chain>(), {}, {}};
  const auto said = [&] {
    return diagnostics.errors.size() + diagnostics.more_errors + diagnostics.warnings.size() +
           diagnostics.more_warnings;
  };
  const std::size_t said_before = said();
  compile_anew(desired, have, diagnostics);
  if (said() != said_before) return;
  last.compiled_chains = chains;
  last.compiled_shared = shared;
  last_ = std::move(last);
}

void Compiler::compile_anew(spec::Desired& desired, const State& have, Diagnostics& diagnostics) {
  std::map<std::string, std::vector<SeenChain>> used;
  bool compiled = false;
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    RuleSet rules(desired, have, family);
    if (rules.empty()) continue;
    Load load(*scratch_, rules, diagnostics);
    const std::size_t errors = diagnostics.errors.size();
    find_bad_jumps(rules, have,
                   [&](WantedRule& rule, const std::string& reason) { load.refuse(rule, reason); });
    const std::string name =
        std::string(format(family)) + "\n" + rules.input(RuleSet::Form::written).text;
    const auto known = saved_.find(name);
    // The second time with all rules apart, as that may be how they were loaded.
    if (known != saved_.end() &&
        (rules.read_back(known->second) || rules.read_back(known->second))) {
      used.insert(*known);
    } else {
      compiled = true;
      make_sets(desired);
      std::vector<SeenChain> saved = load.run(RuleSet::Form::written);
      if (!rules.read_back(saved)) {
        saved = load.run(RuleSet::Form::written);
        static_cast<void>(rules.read_back(saved));
      }
      check_saved(rules, load, diagnostics);
      if (!load.linked()) check_fixed_point(rules, load);
      if (diagnostics.errors.size() == errors) used.emplace(name, std::move(saved));
    }
    warn_of_lost_negations(rules, diagnostics);
    rules.store(desired);
  }
  compiled = compiled || used.size() != saved_.size();
  saved_ = std::move(used);
  if (!compiled) return;
  auto book = std::make_shared<FirewallRuleSet>();
  for (const auto& [name, chains] : saved_) {
    for (const SeenChain& chain : chains) book->insert(chain.rules.begin(), chain.rules.end());
  }
  book_ = std::move(book);
}

}  // namespace plumbline::engine
