#include "plumbline/firewall/commit/transaction.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "chain_diff.hpp"

namespace plumbline::firewall {

namespace {

constexpr int most_tries = 40;
/// New rules of one commit that the kernel sends back. Beyond that it is cheaper to look at them
/// once all is done, while nobody waits for the commit to end.
constexpr std::size_t most_echoed = 256;

/// A message of the batch that the kernel may refuse: whose it is, and which rule.
struct Blame {
  std::size_t step = 0;
  std::string rule;
};

/// Why a step cannot even be tried, or was not what came of it.
struct Refusal {
  std::size_t step = 0;
  int error = 0;
  std::string message;
  bool committed = false;
  bool busy = false;
};

/// A new rule in a chain of Transaction::made_, in the order in which they are sent.
struct Sent {
  std::size_t step = 0;
  HaveChain* chain = nullptr;
  std::size_t position = 0;
};

/// Or none was asked for.
bool has_policy(const HaveChain& there, const ChainGoal& goal) {
  return !goal.content.policy || goal.content.policy == there.policy;
}

class Transaction {
 public:
  Transaction(io::Host& host, Ruleset& ruleset, bool nft, std::span<const ChainStep> steps)
      : host_(&host), kernel_(host), ruleset_(&ruleset), nft_(nft) {
    for (const ChainStep& step : steps) {
      goals_.push_back(goal_of(step));
      chains_.insert(goals_.back().where);
    }
  }

  std::vector<CommitResult> run() {
    for (int tries = 1; tries <= most_tries; ++tries) {
      committed_ = false;
      try {
        const std::uint32_t generation = ruleset_->look_at(kernel_, chains_, nft_);
        const wire::Reply reply = commit(generation);
        if (reply.error == 0) return verified(reply.bytes);
        if (reply.error == ENOBUFS) return looked_up(reply);
        if (reply.error != ERESTART) return refused(reply);
      } catch (const Refusal& refusal) {
        return refused(refusal);
      } catch (const std::runtime_error& error) {  // of the host, or of what it answered
        return refused(Refusal{0, EIO, error.what(), committed_});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(tries / 2));
    }
    return refused(Refusal{0, EBUSY, "others change the firewall faster than it can be looked at",
                           false, true});
  }

 private:
  [[nodiscard]] const HaveChain* held(const ChainGoal& goal) const {
    return ruleset_->find(goal.where);
  }

  /// With no rules where the chain is not there.
  [[nodiscard]] const HaveChain& held_or_none(const ChainGoal& goal) const {
    static const HaveChain none;
    const HaveChain* there = held(goal);
    return there != nullptr ? *there : none;
  }

  /// ERESTART when others committed since `generation`: then what was seen may be half of theirs,
  /// and nothing follows from it.
  wire::Reply commit(std::uint32_t generation) {
    wire::Reply overtaken{ERESTART, {}, {}, {}};
    NftBatchWriter batch;
    try {
      write(batch);
    } catch (const Refusal&) {
      if (kernel_.generation() != generation) return overtaken;
      throw;
    }
    committed_ = !batch.empty();
    if (!committed_) return kernel_.generation() == generation ? wire::Reply() : overtaken;
    const wire::Request request = std::move(batch).finish(generation);
    return std::move(host_->exchange(std::span(&request, 1)).front());
  }

  void write(NftBatchWriter& batch) {
    blames_.clear();
    made_.clear();
    sent_.clear();
    tables_.clear();
    for (std::size_t i = 0; i < goals_.size(); ++i) add_chain(batch, i);
    for (std::size_t i = 0; i < goals_.size(); ++i) write_rules(batch, i);
    // All rules go before any chain: they may jump there.
    for (std::size_t i = 0; i < goals_.size(); ++i) take_rules_away(batch, i);
    for (std::size_t i = 0; i < goals_.size(); ++i) remove_chain(batch, i);
  }

  void note(const NftBatchWriter& batch, std::size_t step, std::string rule = {}) {
    blames_.resize(batch.size(), {step, std::move(rule)});
  }

  void add_chain(NftBatchWriter& batch, std::size_t i) {
    const ChainGoal& goal = goals_[i];
    const auto& [family, table, name] = goal.where;
    const HaveChain* there = held(goal);
    if (!goal.exists) return;
    if (there == nullptr) {
      if (!ruleset_->has_chains(family, table) && tables_.emplace(family, table).second) {
        batch.add_table(family, table);
        note(batch, i);
      }
      const auto hook = builtin_hook(family, table, name);
      if (goal.shared && !hook) throw Refusal{i, ENOENT, "the chain is not there"};
      if (hook) {
        batch.add_base_chain(family, table, name, *hook);
      } else {
        batch.add_chain(family, table, name, goal.claimed ? chain_claim() : wire::Bytes());
      }
      note(batch, i);
    } else {
      expect_ours(i, *there);
    }
    const std::string now = there != nullptr && there->policy ? *there->policy : "ACCEPT";
    if (goal.content.policy && *goal.content.policy != now) {
      batch.set_policy(family, table, name, *goal.content.policy);
      note(batch, i);
    }
  }

  /// One that was taken over without our mark is as we found it, and may be anybody's.
  void expect_ours(std::size_t i, const HaveChain& there) const {
    const ChainGoal& goal = goals_[i];
    if (goal.shared || !goal.claimed || is_ours(there) || there.rules.empty()) return;
    throw Refusal{i, EEXIST, "a chain of that name is somebody else's now"};
  }

  void write_rules(NftBatchWriter& batch, std::size_t i) {
    const ChainGoal& goal = goals_[i];
    if (!goal.exists) return;
    const HaveChain& there = held_or_none(goal);
    const std::vector<PlacedRule> wanted = layout(goal, there);
    auto stay = staying(there, wanted);
    // Where only our mark stays, appending to an empty chain is far cheaper: the kernel looks for
    // the rule that another goes before, or that is deleted, from the chain's start.
    const auto is_mark = [&](const auto& pair) { return there.rules[pair.first].is_mark(); };
    if (!goal.shared && std::ranges::all_of(stay, is_mark)) stay.clear();
    remove_others(batch, i, there, stay);
    HaveChain& made = made_[goal.where];
    made.rules.reserve(wanted.size());
    made.handles.reserve(wanted.size());
    batch.expect(wanted.size() - stay.size());
    auto next = stay.begin();
    for (std::size_t to = 0; to < wanted.size(); ++to) {
      const bool stays = next != stay.end() && next->second == to;
      if (!stays) {
        Place place;
        if (next != stay.end()) place = {Place::Where::before, there.handles[next->first]};
        add_rule(batch, i, wanted[to].rule, place);
        sent_.push_back({i, &made, to});
      }
      made.rules.push_back(stays ? there.rules[next->first] : wanted[to].rule);
      made.handles.push_back(stays ? there.handles[next->first] : 0);
      if (stays) ++next;
    }
  }

  void remove_others(NftBatchWriter& batch, std::size_t i, const HaveChain& there,
                     const std::vector<std::pair<std::size_t, std::size_t>>& stay) {
    const auto& [family, table, name] = goals_[i].where;
    if (stay.empty() && !there.handles.empty()) {
      batch.remove_all_rules(family, table, name);
      note(batch, i);
      return;
    }
    auto next = stay.begin();
    for (std::size_t from = 0; from < there.handles.size(); ++from) {
      if (next != stay.end() && next->first == from) {
        ++next;
        continue;
      }
      batch.remove_rule(family, table, name, there.handles[from]);
      note(batch, i);
    }
  }

  void add_rule(NftBatchWriter& batch, std::size_t i, const FirewallRule& rule,
                const Place& place) {
    const auto& [family, table, name] = goals_[i].where;
    if (!rule.code()) throw Refusal{i, EINVAL, "'" + rule.text() + "' was not compiled"};
    const auto find_set = [&](const std::string& set) {
      const auto index = kernel_.find_set(set);
      if (!index) throw Refusal{i, ENOENT, "ipset " + set + " is not there"};
      return *index;
    };
    const Echo echo = sent_.size() < most_echoed ? Echo::yes : Echo::no;
    batch.add_rule(family, table, name, *rule.code(), place, find_set, echo);
    note(batch, i, rule.text());
  }

  void take_rules_away(NftBatchWriter& batch, std::size_t i) {
    const ChainGoal& goal = goals_[i];
    const auto& [family, table, name] = goal.where;
    if (goal.exists || held_or_none(goal).handles.empty()) return;
    expect_ours(i, *held(goal));
    batch.remove_all_rules(family, table, name);
    note(batch, i);
  }

  void remove_chain(NftBatchWriter& batch, std::size_t i) {
    const ChainGoal& goal = goals_[i];
    const HaveChain* there = held(goal);
    if (there == nullptr) return;
    const bool empty = std::ranges::all_of(there->rules, &FirewallRule::carries_mark);
    const bool goes = goal.unmade ? there->hook.has_value() && empty : !goal.exists;
    if (!goes) return;
    batch.remove_chain(goal.where.family, goal.where.table, goal.where.name);
    note(batch, i);
    made_.erase(goal.where);
  }

  /// The kernel has sent new rules back (NLM_F_ECHO), as it holds them.
  std::vector<CommitResult> verified(const wire::Bytes& echo) {
    if (!committed_) return std::vector<CommitResult>(goals_.size());
    std::vector<DumpedRule> rules = read_rules(echo);
    if (rules.size() != std::min(sent_.size(), most_echoed)) {
      return looked_up({EIO, "rules were not sent back", {}, {}});
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto& [step, chain, position] = sent_[i];
      chain->handles[position] = rules[i].handle;
      if (kernel_.code(std::move(rules[i])) != chain->rules[position].code()) {
        return refused(Refusal{step, EIO, "nf_tables holds another rule than was sent", true});
      }
    }
    if (sent_.size() > rules.size()) {
      ruleset_->expect(std::move(made_));
      return std::vector<CommitResult>(goals_.size());
    }
    // What others did meanwhile is for the next observation.
    if (!ruleset_->take_over(kernel_, std::move(made_))) {
      return std::vector<CommitResult>(goals_.size());
    }
    for (std::size_t i = 0; i < goals_.size(); ++i) {
      const HaveChain* there = held(goals_[i]);
      if (there != nullptr && !has_policy(*there, goals_[i])) {
        return refused(Refusal{i, EIO, "the chain has another policy than was set", true});
      }
    }
    return std::vector<CommitResult>(goals_.size());
  }

  /// The answer was lost: what is there tells whether it was a success.
  std::vector<CommitResult> looked_up(const wire::Reply& reply) {
    static_cast<void>(ruleset_->look_at(kernel_, chains_, nft_));
    for (std::size_t i = 0; i < goals_.size(); ++i) {
      const ChainGoal& goal = goals_[i];
      const HaveChain* there = held(goal);
      const auto made = made_.find(goal.where);
      const bool as_meant = there == nullptr
                                ? made == made_.end()
                                : made != made_.end() && made->second.rules == there->rules &&
                                      has_policy(*there, goal);
      if (!as_meant) return refused(Refusal{i, reply.error, reply.message, true});
    }
    return std::vector<CommitResult>(goals_.size());
  }

  std::vector<CommitResult> refused(const wire::Reply& reply) const {
    if (!reply.place || *reply.place >= blames_.size()) {
      return refused(Refusal{0, reply.error, reply.message});
    }
    const Blame& blame = blames_[*reply.place];
    std::string message = reply.message;
    if (!blame.rule.empty())
      message = "'" + blame.rule + "'" + (message.empty() ? "" : ": " + message);
    return refused(Refusal{blame.step, reply.error, std::move(message)});
  }

  std::vector<CommitResult> refused(const Refusal& refusal) const {
    std::vector<CommitResult> results(
        goals_.size(), {ECANCELED, "another step of the same commit failed", refusal.committed});
    results.at(refusal.step) = {refusal.error, refusal.message, refusal.committed, refusal.busy};
    return results;
  }

  io::Host* host_;
  Nfnetlink kernel_;
  Ruleset* ruleset_;
  bool nft_;
  std::vector<ChainGoal> goals_;
  std::set<Chain::Key> chains_;

  // Of the last commit.
  bool committed_ = false;
  std::vector<Blame> blames_;
  std::map<Chain::Key, HaveChain> made_;  ///< the chains as they shall be; those that go are not in
  std::vector<Sent> sent_;
  std::set<std::pair<Family, std::string>> tables_;
};

}  // namespace

std::vector<CommitResult> commit(io::Host& host, Ruleset& ruleset, bool nft,
                                 std::span<const ChainStep> steps) {
  return Transaction(host, ruleset, nft, steps).run();
}

}  // namespace plumbline::firewall
