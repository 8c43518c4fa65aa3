#include "link.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "plumbline/engine/ruleset.hpp"

namespace plumbline::engine {

namespace {

constexpr int most_tries = 40;

/// A rule that shall be in a chain: one that is there, or a new one.
struct Wanted {
  std::optional<std::size_t> kept;  ///< position among what is there
  FirewallRule rule;
};

/// A chain as it is now.
struct Present {
  wire::DumpedChain chain;
  std::vector<std::uint64_t> handles;
  RuleList::Rules rules;

  [[nodiscard]] bool is_ours() const {
    return chain.userdata == chain_claim() || std::ranges::any_of(rules, &FirewallRule::is_mark);
  }
  /// Its last rule is what ebtables keeps for its policy.
  [[nodiscard]] bool has_policy() const {
    return !rules.empty() && rules.back().code() && is_chain_policy(*rules.back().code());
  }
};

/// What one move wants of one chain.
struct Target {
  Chain::Key where;
  bool exists = true;  ///< in the end
  bool shared = false;
  bool claimed = false;  ///< a new chain is to carry our mark
  bool unmade =
      false;  ///< a built-in chain that came with our rules goes with them, if it is empty
  std::optional<std::string> policy;
  RuleList whole;  ///< of a chain of ours
  RuleList insert;
  RuleList append;
  RuleList strays;
  std::vector<std::size_t> stray_places;
};

Target target_of(const Chain* from, const Chain* to) {
  const Chain& either = to != nullptr ? *to : *from;
  Target target;
  target.where = key(either);
  target.exists = to != nullptr;
  target.claimed = either.marked;
  if (to != nullptr) target.whole = to->rules;
  return target;
}

Target target_of(const SharedChain* from, const SharedChain* to, bool backwards) {
  const SharedChain& either = to != nullptr ? *to : *from;
  Target target;
  target.where = {either.family, either.table, either.name};
  target.shared = true;
  target.unmade = to == nullptr && backwards;
  if (to != nullptr) {
    target.policy = to->policy;
    target.insert = to->insert;
    target.append = to->append;
    target.strays = to->strays;
    target.stray_places = to->stray_places;
  } else if (target.unmade && from->policy) {
    target.policy = "ACCEPT";  // the chain was not there, and came with it
  }
  return target;
}

Target target_of(const Move& move) {
  const Resource* from = from_value(move);
  const Resource* to = to_value(move);
  const Resource& either = to != nullptr ? *to : *from;
  if (std::holds_alternative<Chain>(either)) {
    return target_of(from == nullptr ? nullptr : &std::get<Chain>(*from),
                     to == nullptr ? nullptr : &std::get<Chain>(*to));
  }
  return target_of(from == nullptr ? nullptr : &std::get<SharedChain>(*from),
                   to == nullptr ? nullptr : &std::get<SharedChain>(*to), move.backwards);
}

/// A message of the batch that the kernel may refuse: whose it is, and which rule.
struct Blame {
  std::size_t move = 0;
  std::string rule;
};

/// Why a move cannot even be tried.
struct Refusal {
  std::size_t move = 0;
  int error = 0;
  std::string message;
};

class Link {
 public:
  Link(io::Host& host, std::span<const Move> moves) : host_(&host), kernel_(host) {
    for (const Move& move : moves) targets_.push_back(target_of(move));
  }

  std::vector<MoveResult> run() {
    for (int tries = 1; tries <= most_tries; ++tries) {
      try {
        const std::uint32_t generation = look();
        const wire::Reply reply = commit(generation);
        if (reply.error == 0) return verified(generation);
        if (reply.error != ERESTART) return refused(reply);
      } catch (const Refusal& refusal) {
        return refused(refusal);
      } catch (const std::runtime_error& error) {  // of the host, or of what it answered
        return refused(Refusal{0, EIO, error.what()});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(tries / 2));
    }
    return refused(
        Refusal{0, EBUSY, "busy: others change the firewall faster than it can be looked at"});
  }

 private:
  std::uint32_t look() {
    const std::uint32_t generation = kernel_.generation();
    present_.clear();
    tables_.clear();
    for (wire::DumpedChain& chain : kernel_.chains()) {
      tables_.emplace(chain.family, chain.table);
      Chain::Key where{chain.family, chain.table, chain.name};
      const auto asked = [&](const Target& target) { return target.where == where; };
      if (std::ranges::none_of(targets_, asked)) continue;
      Present present{std::move(chain), {}, {}};
      const auto rules = kernel_.rules(where);
      for (const wire::DumpedRule& rule : rules ? *rules : std::vector<wire::DumpedRule>()) {
        present.handles.push_back(rule.handle);
        present.rules.emplace_back(std::string(), kernel_.code(rule));
      }
      present_.emplace(std::move(where), std::move(present));
    }
    return generation;
  }

  [[nodiscard]] const Present* present(const Target& target) const {
    const auto found = present_.find(target.where);
    return found == present_.end() ? nullptr : &found->second;
  }

  wire::Reply commit(std::uint32_t generation) {
    wire::NftBatchWriter batch;
    blames_.clear();
    for (std::size_t i = 0; i < targets_.size(); ++i) add_chain(batch, i);
    for (std::size_t i = 0; i < targets_.size(); ++i) add_rules(batch, i);
    // All rules go before any chain: they may jump there.
    for (std::size_t i = 0; i < targets_.size(); ++i) take_rules_away(batch, i);
    for (std::size_t i = 0; i < targets_.size(); ++i) remove_chain(batch, i);
    if (batch.empty()) return {};
    const wire::Request request = std::move(batch).finish(generation);
    return std::move(host_->exchange(std::span(&request, 1)).front());
  }

  void note(const wire::NftBatchWriter& batch, std::size_t move, std::string rule = {}) {
    blames_.resize(batch.size(), {move, std::move(rule)});
  }

  void add_chain(wire::NftBatchWriter& batch, std::size_t i) {
    const Target& target = targets_[i];
    const auto& [family, table, name] = target.where;
    const Present* there = present(target);
    if (!target.exists) return;
    if (there == nullptr) {
      if (tables_.emplace(family, table).second) {
        batch.add_table(family, table);
        note(batch, i);
      }
      const auto base = wire::base_chain(family, table, name);
      if (target.shared && !base) throw Refusal{i, ENOENT, "the chain is not there"};
      if (base) {
        batch.add_base_chain(family, table, name, *base);
      } else {
        batch.add_chain(family, table, name, target.claimed ? chain_claim() : wire::Bytes());
      }
      note(batch, i);
    } else if (!target.shared && !there->is_ours() && !there->rules.empty() && target.claimed) {
      throw Refusal{i, EEXIST, "a chain of that name is somebody else's now"};
    }
    const std::string now =
        there != nullptr && there->chain.policy ? *there->chain.policy : "ACCEPT";
    if (target.policy && *target.policy != now) {
      batch.set_policy(family, table, name, *target.policy);
      note(batch, i);
    }
  }

  [[nodiscard]] static std::vector<Wanted> fresh(const RuleList& rules) {
    std::vector<Wanted> wanted;
    for (const FirewallRule& rule : rules) wanted.push_back({std::nullopt, rule});
    return wanted;
  }

  /// Foreign rules where they are, ours around them.
  [[nodiscard]] static std::vector<Wanted> layout(const Target& target, const Present* there) {
    if (!target.shared) return fresh(target.whole);
    std::vector<Wanted> wanted = fresh(target.insert);
    const std::size_t end =
        there == nullptr ? 0 : there->rules.size() - (there->has_policy() ? 1 : 0);
    for (std::size_t i = 0; i < end; ++i) {
      if (!there->rules[i].carries_mark()) wanted.push_back({i, there->rules[i]});
    }
    for (std::size_t i = 0; i < target.strays.size(); ++i) {
      const std::size_t place = std::min(target.stray_places.at(i) - 1, wanted.size());
      wanted.insert(wanted.begin() + static_cast<std::ptrdiff_t>(place),
                    {std::nullopt, target.strays[i]});
    }
    for (Wanted& rule : fresh(target.append)) wanted.push_back(std::move(rule));
    if (there != nullptr && there->has_policy()) wanted.push_back({end, there->rules[end]});
    return wanted;
  }

  void add_rules(wire::NftBatchWriter& batch, std::size_t i) {
    const Target& target = targets_[i];
    if (!target.exists) return;
    const Present* there = present(target);
    static const Present nothing;
    const Present& now = there != nullptr ? *there : nothing;
    const std::vector<Wanted> wanted = layout(target, there);
    write_rules(batch, i, now, wanted);
  }

  /// Foreign rules stay, and between them as many of ours as can.
  [[nodiscard]] static std::vector<std::pair<std::size_t, std::size_t>> kept_of(
      const Present& now, const std::vector<Wanted>& wanted) {
    RuleList::Rules want;
    for (const Wanted& one : wanted) want.push_back(one.rule);
    std::vector<std::pair<std::size_t, std::size_t>> kept;
    std::size_t from = 0;
    std::size_t to = 0;
    const auto between = [&](std::size_t from_end, std::size_t to_end) {
      const auto pairs = kept_rules(std::span(now.rules).subspan(from, from_end - from),
                                    std::span(want).subspan(to, to_end - to));
      for (const auto& [a, b] : pairs) kept.emplace_back(from + a, to + b);
    };
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!wanted[i].kept) continue;
      between(*wanted[i].kept, i);
      kept.emplace_back(*wanted[i].kept, i);
      from = *wanted[i].kept + 1;
      to = i + 1;
    }
    between(now.rules.size(), want.size());
    return kept;
  }

  void write_rules(wire::NftBatchWriter& batch, std::size_t i, const Present& now,
                   const std::vector<Wanted>& want) {
    const auto& [family, table, name] = targets_[i].where;
    auto kept = kept_of(now, want);
    // Where only our mark stays, appending to an empty chain is far cheaper: the kernel looks for
    // the rule that another goes before, or that is deleted, from the chain's start.
    const auto is_mark = [&](const auto& pair) { return now.rules[pair.first].is_mark(); };
    if (!targets_[i].shared && std::ranges::all_of(kept, is_mark)) kept.clear();
    if (kept.empty() && !now.rules.empty()) {
      batch.remove_all_rules(family, table, name);
      note(batch, i);
    } else {
      auto next = kept.begin();
      for (std::size_t from = 0; from < now.rules.size(); ++from) {
        if (next != kept.end() && next->first == from) {
          ++next;
          continue;
        }
        batch.remove_rule(family, table, name, now.handles[from]);
        note(batch, i);
      }
    }
    auto next = kept.begin();
    for (std::size_t to = 0; to < want.size(); ++to) {
      if (next != kept.end() && next->second == to) {
        ++next;
        continue;
      }
      wire::Place place;
      if (next != kept.end()) {
        place = {wire::Place::Where::before, now.handles[next->first]};
      }
      add_rule(batch, i, want[to].rule, place);
    }
  }

  void add_rule(wire::NftBatchWriter& batch, std::size_t i, const FirewallRule& rule,
                const wire::Place& place) {
    const auto& [family, table, name] = targets_[i].where;
    if (!rule.code()) throw Refusal{i, EINVAL, "'" + rule.text() + "' was not compiled"};
    batch.add_rule(family, table, name, *rule.code(), place, [&](const std::string& set) {
      const auto index = kernel_.find_set(set);
      if (!index) throw Refusal{i, ENOENT, "ipset " + set + " is not there"};
      return *index;
    });
    note(batch, i, rule.text());
  }

  void take_rules_away(wire::NftBatchWriter& batch, std::size_t i) {
    const Target& target = targets_[i];
    const auto& [family, table, name] = target.where;
    const Present* there = present(target);
    if (target.exists || there == nullptr) return;
    if (!there->rules.empty()) {
      batch.remove_all_rules(family, table, name);
      note(batch, i);
    }
  }

  void remove_chain(wire::NftBatchWriter& batch, std::size_t i) {
    const Target& target = targets_[i];
    const Present* there = present(target);
    if (there == nullptr) return;
    const bool empty = std::ranges::all_of(there->rules, &FirewallRule::carries_mark);
    const bool goes = target.unmade ? there->chain.base && empty : !target.exists;
    if (!goes) return;
    batch.remove_chain(target.where.family, target.where.table, target.where.name);
    note(batch, i);
  }

  /// What is there now is what was meant, unless somebody came after us.
  std::vector<MoveResult> verified(std::uint32_t before) {
    const std::uint32_t generation = look();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const Target& target = targets_[i];
      const Present* there = present(target);
      bool as_meant = target.unmade || (there != nullptr) == target.exists;
      if (as_meant && there != nullptr) {
        RuleList::Rules want;
        for (Wanted& one : layout(target, there)) want.push_back(std::move(one.rule));
        as_meant = want == there->rules;
      }
      const bool alone = generation <= before + 1 && kernel_.generation() == generation;
      if (!as_meant && alone) {
        return refused(Refusal{i, EIO, "nf_tables holds another rule than was sent"});
      }
    }
    return std::vector<MoveResult>(targets_.size());
  }

  std::vector<MoveResult> refused(const wire::Reply& reply) const {
    if (!reply.place || *reply.place >= blames_.size()) {
      return refused(Refusal{0, reply.error, reply.message});
    }
    const Blame& blame = blames_[*reply.place];
    std::string message = reply.message;
    if (!blame.rule.empty())
      message = "'" + blame.rule + "'" + (message.empty() ? "" : ": " + message);
    return refused(Refusal{blame.move, reply.error, std::move(message)});
  }

  std::vector<MoveResult> refused(const Refusal& refusal) const {
    std::vector<MoveResult> results(targets_.size(),
                                    {ECANCELED, "another step of the same commit failed"});
    results.at(refusal.move) = {refusal.error, refusal.message};
    return results;
  }

  io::Host* host_;
  Nfnetlink kernel_;
  std::vector<Target> targets_;
  std::map<Chain::Key, Present> present_;
  std::set<std::pair<Family, std::string>> tables_;
  std::vector<Blame> blames_;
};

}  // namespace

std::vector<MoveResult> link(io::Host& host, std::span<const Move> moves) {
  return Link(host, moves).run();
}

}  // namespace plumbline::engine
