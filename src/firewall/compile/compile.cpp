#include <sys/utsname.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "cache.hpp"
#include "memo.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/firewall/observe/ruleset.hpp"
#include "scratch.hpp"
#include "wanted_rules.hpp"

namespace plumbline::firewall {

struct IptablesCompiler::Answers {
  Memo known;
  bool in_file = false;
};

namespace {

/// Whether an argument of that option is saved as another, as far as the options are the same.
bool is_cut(const WantedRule& rule, std::string_view option) {
  if (rule.text().find(option) == std::string::npos || rule.saved.empty()) return false;
  const auto argument = [&](const FirewallRule& of) -> std::string {
    const auto words = words_of(of);
    if (!words) return {};
    for (const RuleOption& found : options_of(*words)) {
      if (found.name == option && found.argument) return std::string(*found.argument);
    }
    return {};
  };
  return argument(*rule.written) != argument(rule.saved.front());
}

/// What has to be true of the saved rules for a plan to come to rest.
void check_saved(WantedRules& rules, Scratch& load) {
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) {
      if (rule.refused) continue;
      if (rule.saved.empty()) load.refuse(rule, "iptables makes no rule of it");
      if (chain.shared && !std::ranges::all_of(rule.saved, &FirewallRule::carries_mark)) {
        load.refuse(rule, "iptables does not keep the comment that marks it as ours");
      }
    }
  }
}

std::string first_text(std::span<const FirewallRule> rules) {
  return rules.empty() ? std::string() : rules.front().text();
}

/// Whether the saved form, loaded, is saved as itself: else, where text is compared, no second plan
/// would be empty.
void check_fixed_point(WantedRules& rules, Scratch& load) {
  std::vector<std::span<const FirewallRule>> before;
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) before.push_back(rule.saved);
  }
  load.run(WantedRules::Form::saved);
  auto it = before.begin();
  for (WantedChain& chain : rules.chains()) {
    for (WantedRule& rule : chain.rules) {
      if (!rule.refused && !std::ranges::equal(rule.saved, *it)) {
        load.refuse(rule, "iptables saves it as '" + first_text(*it) +
                              "' and reads that back as another rule");
      }
      ++it;
    }
  }
}

/// What the kernel holds is what was asked for, or what iptables made of it, but whoever saves and
/// restores the rules has others then.
bool loses_negation(const WantedRule& rule) {
  const auto negations = [](std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = text.find("! "); at != std::string_view::npos;
         at = text.find("! ", at + 1)) {
      ++count;
    }
    return count;
  };
  return rule.saved.size() == 1 && negations(rule.text()) > negations(rule.saved.front().text());
}

std::vector<std::string> warnings_of(const WantedRule& rule) {
  std::vector<std::string> warnings;
  if (is_cut(rule, "nflog-prefix")) warnings.emplace_back("this iptables cuts the prefix");
  if (loses_negation(rule)) {
    warnings.push_back("iptables saves it without the negation, as '" + rule.saved.front().text() +
                       "'");
  }
  return warnings;
}

void warn(WantedChain& chain, const CompiledChain* earlier, Diagnostics& diagnostics) {
  for (const WantedRule& rule : chain.rules) {
    if (rule.refused || (rule.known && earlier->warnings.empty())) continue;
    std::vector<std::string> warnings;
    if (!rule.known) {
      warnings = warnings_of(rule);
    } else if (const auto found = earlier->warnings.find(rule.text());
               found != earlier->warnings.end()) {
      warnings = found->second;
    }
    if (warnings.empty()) continue;
    for (const std::string& warning : warnings) {
      diagnostics.warning(Code::invalid_iptables_rule, "'" + rule.text() + "': " + warning,
                          rule.origin == nullptr ? Origin() : *rule.origin);
    }
    chain.warnings[rule.text()] = std::move(warnings);
  }
}

bool any_unknown(const WantedRules& rules) {
  return std::ranges::any_of(rules.chains(), [](const WantedChain& chain) {
    return !std::ranges::all_of(chain.rules, &WantedRule::known);
  });
}

/// Whether what was loaded by itself is good: else all is loaded, and says what is not.
bool is_good(const WantedRules& rules) {
  return std::ranges::all_of(rules.chains(), [](const WantedChain& chain) {
    return std::ranges::all_of(chain.rules, [&](const WantedRule& rule) {
      return !rule.saved.empty() && (rule.known || !chain.shared ||
                                     std::ranges::all_of(rule.saved, &FirewallRule::carries_mark));
    });
  });
}

/// What is not known is loaded, and nothing else. False when all has to be.
///
/// On legacy that is so unless nothing changed: there the kernel does not look at rules behind one
/// that matches every packet (mark_source_chains() in net/ipv4/netfilter/ip_tables.c), so that one
/// rule may decide on whether another can be.
bool compile_part(WantedRules& rules, const Memo& known, Scratch& load,
                  std::optional<WantedRules>& part) {
  rules.declare(known.declared);
  if (take_known(rules, known)) return true;
  if (!load.uses_nft()) return false;
  if (!any_unknown(rules)) return true;
  part.emplace(rules.part());
  return load.try_part(*part) && rules.take(*part) && is_good(rules);
}

void compile_whole(WantedRules& rules, Scratch& load) {
  drop_known(rules);
  load.run(WantedRules::Form::written);
  check_saved(rules, load);
  if (!load.uses_nft()) check_fixed_point(rules, load);
}

std::string kernel_release() {
  utsname names{};
  if (uname(&names) != 0) return {};
  return std::string(names.release) + " " + names.version;
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

IptablesCompiler::IptablesCompiler(io::ScratchHost& scratch, std::filesystem::path cache)
    : scratch_(&scratch), cache_(std::move(cache)) {}

IptablesCompiler::~IptablesCompiler() {
  try {
    for (auto& [family, answers] : answers_) keep_in_file(answers);
  } catch (const std::exception&) {
    // The next process has to compile what is missing.
  }
}

bool IptablesCompiler::is_last(const spec::Desired& desired, const State& have) const {
  return last_ && last_->chains == desired.state.of<Chain>() &&
         last_->shared == desired.state.of<SharedChain>() && last_->have == have.of<Chain>();
}

void IptablesCompiler::compile(spec::Desired& desired, const State& have,
                               Diagnostics& diagnostics) {
  auto& chains = desired.state.of<Chain>();
  auto& shared = desired.state.of<SharedChain>();
  if (std::string now = scratch_->circumstances(); now != circumstances_) {
    circumstances_ = std::move(now);
    last_.reset();
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

void IptablesCompiler::compile_anew(spec::Desired& desired, const State& have,
                                    Diagnostics& diagnostics) {
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    WantedRules rules(desired, have, family);
    if (rules.empty()) {
      book_is_old_ = answers_.erase(family) != 0 || book_is_old_;
      continue;
    }
    Scratch load(*scratch_, rules, diagnostics);
    find_bad_jumps(rules, have,
                   [&](WantedRule& rule, const std::string& reason) { load.refuse(rule, reason); });
    compile_family(rules, load, desired, diagnostics);
  }
  if (std::exchange(book_is_old_, false)) make_book();
}

std::string IptablesCompiler::key_of(const WantedRules& rules) {
  return std::string(format(scratch_->backend())) + "\n" + kernel_release() + "\n" +
         circumstances_ + rules.topology();
}

const Memo* IptablesCompiler::find_answers(Family family, const std::string& key, bool nft) {
  const auto found = answers_.find(family);
  if (found != answers_.end() && found->second.known.key == key) return &found->second.known;
  auto read = Cache(cache_).read(key, nft);
  if (!read) return nullptr;
  book_is_old_ = true;
  return &answers_.insert_or_assign(family, Answers{std::move(*read), true}).first->second.known;
}

void IptablesCompiler::compile_family(WantedRules& rules, Scratch& load, spec::Desired& desired,
                                      Diagnostics& diagnostics) {
  std::string key = key_of(rules);
  const Memo* known =
      load.refusals() == 0 ? find_answers(rules.family(), key, load.uses_nft()) : nullptr;
  std::optional<WantedRules> part;  // lives as long as what is known now is not put together
  const bool whole = known == nullptr || !compile_part(rules, *known, load, part);
  if (whole) compile_whole(rules, load);
  for (WantedChain& chain : rules.chains()) {
    warn(chain, known == nullptr ? nullptr : known->find(chain), diagnostics);
  }
  Memo now = known_from(rules, std::move(key), known, *book_);
  store(now, rules.family(), desired);
  if (load.refusals() != 0 || (known != nullptr && now.chains == known->chains)) return;
  Answers& answers = answers_[rules.family()];
  answers = {std::move(now), false};
  book_is_old_ = true;
  // What little is missing in the file is added at the end.
  if (whole) keep_in_file(answers);
}

void IptablesCompiler::make_book() {
  auto book = std::make_shared<FirewallRuleSet>();
  std::size_t size = 0;
  const auto for_each = [this](const auto& visit) {
    for (const auto& [family, answers] : answers_) {
      for (const auto& [name, chain] : answers.known.chains) {
        visit(chain->made_insert);
        visit(chain->made_append);
      }
    }
  };
  for_each([&](const RuleList& rules) { size += rules.size(); });
  book->reserve(size);
  for_each([&](const RuleList& rules) { book->insert(rules.begin(), rules.end()); });
  book_ = std::move(book);
}

void IptablesCompiler::keep_in_file(Answers& answers) const {
  if (std::exchange(answers.in_file, true)) return;
  Cache(cache_).write(answers.known);
}

}  // namespace plumbline::firewall
