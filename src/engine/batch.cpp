#include "batch.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <unordered_set>

#include "link_removal.hpp"
#include "plumbline/firewall/commit/transaction.hpp"
#include "restoration.hpp"

namespace plumbline::engine {

namespace {

const Resource* pointer_to(const std::optional<Resource>& value) {
  return value ? &*value : nullptr;
}

bool is_firewall(const StepRun& move) { return move.step->phase != Phase::main; }

/// The steps under way together, and what they need.
class Company {
 public:
  void add(const StepRun& move) {
    members_.insert(move.position);
    needed_.insert(move.step->needs.begin(), move.step->needs.end());
  }
  /// Whether the move needs one of them or, on the way back, one of them needs it.
  [[nodiscard]] bool depends(const StepRun& move) const {
    const auto is_member = [&](std::size_t position) { return members_.contains(position); };
    return needed_.contains(move.position) || std::ranges::any_of(move.step->needs, is_member);
  }

 private:
  std::unordered_set<std::size_t> members_;
  std::unordered_set<std::size_t> needed_;
};

Action action_of(const StepRun& move) {
  if (from_value(move) == nullptr) return Action::create;
  return to_value(move) == nullptr ? Action::remove : Action::update;
}

bool alike(const StepRun& a, const StepRun& b) {
  return a.step->key.index() == b.step->key.index() && action_of(a) == action_of(b) &&
         is_bulk_removal(a) == is_bulk_removal(b);
}

/// The kernel refuses an IPv6 source address while duplicate address detection runs for it
/// (ip6_route_info_create() in net/ipv6/route.c): for a second or two after it was added.
bool may_come_right(const StepRun& move, const RunResult& result) {
  const auto* route = to_value(move) != nullptr ? std::get_if<Route>(to_value(move)) : nullptr;
  return result.error == EINVAL && route != nullptr && route->src &&
         route->family() == Family::inet6;
}

/// Takes back that it was made.
template <class K>
std::vector<wire::Request> unmake(const K& value, const LinkNames& links) {
  if constexpr (std::is_same_v<K, SharedChain>) {
    // A built-in chain that is not there yet comes with the policy ACCEPT.
    SharedChain fresh{value.family, value.table, value.name, {}, {}, {}, {}, {}, true};
    if (value.policy) fresh.policy = "ACCEPT";
    return update(value, fresh, links);
  } else {
    return remove(value, links);
  }
}

/// A link without IPv6 is as it shall be.
bool holds_without_ipv6(const Resource* value) {
  const auto* sysctl = value == nullptr ? nullptr : std::get_if<Sysctl>(value);
  return sysctl != nullptr && value_without_ipv6(sysctl->path) == sysctl->value;
}

/// A removal of what is not there is done: somebody, or the kernel with something else, was first.
bool counts_as_done(const StepRun& move, int error) {
  if (error == ENOENT && holds_without_ipv6(to_value(move))) return true;
  if (action_of(move) != Action::remove) return false;
  return error == ESRCH || error == ENOENT || error == ENODEV || error == EADDRNOTAVAIL;
}

}  // namespace

const Resource* from_value(const StepRun& move) {
  return pointer_to(move.backwards ? move.step->after : move.step->before);
}

const Resource* to_value(const StepRun& move) {
  return pointer_to(move.backwards ? move.step->before : move.step->after);
}

std::vector<wire::Request> Sender::requests_of(const StepRun& move) const {
  const Resource* from = from_value(move);
  const Resource* to = to_value(move);
  return std::visit(
      [&]<class K>(const K& value) {
        std::vector<wire::Request> requests;
        if (from == nullptr) {
          requests = create(value, surroundings_.links);
        } else if (to == nullptr) {
          requests = move.backwards ? unmake(value, surroundings_.links)
                                    : remove(value, surroundings_.links);
        } else {
          const K& now = std::get<K>(*from);
          const K& next = std::get<K>(*to);
          requests = update(now, move.backwards ? with_finished_mark(next, now) : next,
                            surroundings_.links);
        }
        if constexpr (std::is_same_v<K, Sysctl>) {
          const auto it = surroundings_.now.find(value.path);
          if (move.backwards && it != surroundings_.now.end()) {
            for (const Sysctl& other : it->second) {
              requests.emplace_back(wire::SysctlWrite{other.path, other.value});
            }
          }
        }
        return requests;
      },
      to != nullptr ? *to : *from);
}

std::vector<IfName> Sender::missing_links(const StepRun& move) const {
  std::vector<IfName> missing;
  for (const Resource* value : {from_value(move), to_value(move)}) {
    if (value == nullptr) continue;
    for (const Need& need : std::visit([](const auto& v) { return needs(v); }, *value)) {
      const auto* link = std::get_if<NeedsLink>(&need);
      if (link != nullptr && surroundings_.links.index(link->name) == 0) {
        missing.push_back(link->name);
      }
    }
  }
  return missing;
}

void Sender::refresh_links() {
  const std::vector<wire::Request> queries = Link::queries({});
  const std::vector<wire::Reply> replies = host_->exchange(std::span(queries).first(1));
  surroundings_.links = link_names(replies.front());
}

bool Sender::uses_nft(const StepRun& move) const {
  const auto by_family = [&]<class Key>(const Key& key) {
    if constexpr (std::is_same_v<Key, Chain::Key> || std::is_same_v<Key, SharedChain::Key>) {
      return firewall::uses_nft(key.family, surroundings_.uses_nft);
    } else {
      return false;
    }
  };
  return std::visit(by_family, move.step->key);
}

std::vector<RunResult> Sender::commit(std::span<const StepRun> moves) {
  std::vector<firewall::ChainStep> steps;
  steps.reserve(moves.size());
  for (const StepRun& move : moves) {
    steps.push_back({from_value(move), to_value(move), move.backwards});
  }
  std::vector<RunResult> results;
  results.reserve(moves.size());
  for (auto& [error, message, committed, busy] :
       firewall::commit(*host_, *ruleset_, surroundings_.uses_nft, steps)) {
    results.push_back({error, std::move(message), committed, busy});
  }
  return results;
}

std::vector<RunResult> Sender::send_firewall(std::span<const StepRun> moves) {
  std::vector<StepRun> texts;
  std::vector<StepRun> in_nft;
  for (const StepRun& move : moves) (uses_nft(move) ? in_nft : texts).push_back(move);
  if (texts.empty()) return commit(moves);
  const std::vector<RunResult> of_texts = send_texts(texts);
  const bool failed = std::ranges::any_of(of_texts, [](const auto& one) { return one.error != 0; });
  std::vector<RunResult> of_nft(in_nft.size(), {ECANCELED, "another table failed"});
  if (!failed && !in_nft.empty()) of_nft = commit(in_nft);
  std::vector<RunResult> results;
  auto text = of_texts.begin();
  auto committed = of_nft.begin();
  for (const StepRun& move : moves) results.push_back(uses_nft(move) ? *committed++ : *text++);
  return results;
}

std::vector<RunResult> Sender::send_texts(std::span<const StepRun> moves) {
  std::vector<wire::FirewallRestore> restores;
  for (const StepRun& move : moves) {
    for (wire::Request& request : requests_of(move)) {
      restores.push_back(std::get<wire::FirewallRestore>(std::move(request)));
    }
  }
  const std::vector<wire::FirewallRestore> commits = firewall::merged(restores);
  const std::vector<wire::Request> requests(commits.begin(), commits.end());

  // A table that fails ends it: the tables behind it are not touched.
  std::vector<RunResult> results(moves.size());
  bool failed = false;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    wire::Reply reply{ECANCELED, "another table failed", {}, {}};
    if (!failed) reply = host_->exchange(std::span(requests).subspan(i, 1)).front();
    failed = failed || reply.error != 0;
    if (reply.error == 0) continue;
    for (std::size_t j = 0; j < moves.size(); ++j) {
      const auto same_table = [&](const auto& key) {
        if constexpr (requires {
                        key.table;
                        key.name;
                        key.family;
                      }) {
          return key.family == commits[i].family &&
                 commits[i].text.starts_with("*" + std::string(key.table) + "\n");
        } else {
          return false;
        }
      };
      if (std::visit(same_table, moves[j].step->key)) results[j] = {reply.error, reply.message};
    }
  }
  return results;
}

std::vector<RunResult> Sender::send_waves(std::span<const StepRun> moves) {
  std::vector<std::vector<wire::Request>> pending;
  pending.reserve(moves.size());
  std::size_t waves = 0;
  for (const StepRun& move : moves) {
    pending.push_back(requests_of(move));
    waves = std::max(waves, pending.back().size());
  }
  std::vector<RunResult> results(moves.size());
  for (std::size_t wave = 0; wave < waves; ++wave) {
    std::vector<wire::Request> requests;
    std::vector<std::size_t> owners;
    for (std::size_t i = 0; i < moves.size(); ++i) {
      if (wave >= pending[i].size() || results[i].error != 0) continue;
      requests.push_back(std::move(pending[i][wave]));
      owners.push_back(i);
    }
    const std::vector<wire::Reply> replies = host_->exchange(requests);
    for (std::size_t i = 0; i < owners.size(); ++i) {
      const wire::Reply& reply = replies.at(i);
      if (reply.error == 0 || counts_as_done(moves[owners[i]], reply.error)) continue;
      // A sysctl changed along may be gone with its link.
      const bool along = std::holds_alternative<wire::SysctlWrite>(requests[i]) && wave > 0;
      if (along && reply.error == ENOENT) continue;
      results[owners[i]] = {reply.error, reply.message};
    }
  }
  return results;
}

std::size_t Sender::company_of(std::span<const StepRun> moves) const {
  constexpr std::size_t most = 1024;
  Company company;
  std::size_t count = 0;
  for (; count < moves.size() && count < most; ++count) {
    const StepRun& next = moves[count];
    const bool fits = alike(moves.front(), next) && missing_links(next).empty();
    if (count != 0 && (!fits || company.depends(next))) break;
    company.add(next);
  }
  return count;
}

void Sender::find_sysctls(std::span<const StepRun> moves) {
  std::vector<wire::Request> reads;
  for (const StepRun& move : moves) {
    const bool is_new = from_value(move) == nullptr && !move.backwards;
    const auto* sysctl = is_new ? std::get_if<Sysctl>(to_value(move)) : nullptr;
    if (sysctl != nullptr) reads.emplace_back(wire::SysctlRead{sysctl->path});
  }
  if (reads.empty()) return;
  const std::vector<wire::Reply> replies = host_->exchange(reads);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    Sysctl::decode(reads[i], replies[i], surroundings_.links, found_);
  }
}

std::vector<RunResult> Sender::send_company(std::span<const StepRun> moves) {
  // Together longer than duplicate address detection takes.
  constexpr int most_waits = 30;
  constexpr std::chrono::milliseconds wait{100};
  std::vector<RunResult> results;
  find_sysctls(moves);
  if (moves.size() > 1 && is_bulk_removal(moves.front())) {
    results = remove_links(*host_, moves, surroundings_.links);
  }
  if (results.empty()) results = send_waves(moves);
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (int waits = 0; waits < most_waits && may_come_right(moves[i], results[i]); ++waits) {
      std::this_thread::sleep_for(wait);
      results[i] = send_waves(moves.subspan(i, 1)).front();
    }
    // Links made or gone: their names lead elsewhere now.
    const auto* link = std::get_if<Link::Key>(&moves[i].step->key);
    if (link != nullptr && action_of(moves[i]) != Action::update) {
      surroundings_.links.remove(link->name);
    }
  }
  return results;
}

std::vector<RunResult> Sender::send(std::span<const StepRun> moves) {
  if (is_firewall(moves.front())) {
    const auto other_phase = std::ranges::find_if(
        moves, [&](const StepRun& move) { return move.step->phase != moves.front().step->phase; });
    return send_firewall(moves.first(static_cast<std::size_t>(other_phase - moves.begin())));
  }
  if (!missing_links(moves.front()).empty()) refresh_links();
  if (const auto missing = missing_links(moves.front()); !missing.empty()) {
    if (counts_as_done(moves.front(), ENODEV)) return {RunResult()};
    return {{ENODEV, "link " + format(missing.front()) + " is not there"}};
  }
  return send_company(moves.first(company_of(moves)));
}

}  // namespace plumbline::engine
