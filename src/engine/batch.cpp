#include "batch.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <unordered_set>

#include "link_removal.hpp"
#include "plumbline/memory/along.hpp"

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

bool may_come_right(const StepRun& move, const RunResult& result) {
  if (result.error == 0 || to_value(move) == nullptr) return false;
  return std::visit(
      [&](const auto& value) {
        if constexpr (requires { may_come_right(value, result.error); }) {
          return may_come_right(value, result.error);
        } else {
          return false;
        }
      },
      *to_value(move));
}

/// Takes back that it was made.
template <class K>
std::vector<wire::Request> take_back(const K& value, const LinkNames& links) {
  if constexpr (requires { unmake(value, links); }) {
    return unmake(value, links);
  } else {
    return remove(value, links);
  }
}

template <class K>
std::vector<wire::Request> put_back(const K& now, const K& before, const LinkNames& links) {
  if constexpr (requires { with_finished_mark(before, now); }) {
    return update(now, with_finished_mark(before, now), links);
  } else {
    return update(now, before, links);
  }
}

bool is_as_good_where_absent(const Resource* value) {
  if (value == nullptr) return false;
  return std::visit(
      [](const auto& wanted) {
        if constexpr (requires { holds_where_absent(wanted); }) {
          return holds_where_absent(wanted);
        } else {
          return false;
        }
      },
      *value);
}

/// A removal of what is not there is done: somebody, or the kernel with something else, was first.
bool counts_as_done(const StepRun& move, int error) {
  if (error == ENOENT && is_as_good_where_absent(to_value(move))) return true;
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

std::optional<IfName> link_named(const StepRun& move) {
  return std::visit(
      [](const auto& of) -> std::optional<IfName> {
        if constexpr (requires { names_link(of); }) {
          return names_link(of);
        } else {
          return std::nullopt;
        }
      },
      move.step->key);
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
          requests = move.backwards ? take_back(value, surroundings_.links)
                                    : remove(value, surroundings_.links);
        } else {
          const K& now = std::get<K>(*from);
          const K& next = std::get<K>(*to);
          requests = move.backwards ? put_back(now, next, surroundings_.links)
                                    : update(now, next, surroundings_.links);
        }
        if (move.backwards) {
          for (wire::Request& write :
               memory::writes_back(to != nullptr ? *to : *from, surroundings_.now)) {
            requests.push_back(std::move(write));
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
  const wire::Request query = links_query();
  surroundings_.links = link_names(host_->exchange(std::span(&query, 1)).front());
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

void Sender::find_settings(std::span<const StepRun> moves) {
  std::vector<wire::Request> reads;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { requires K::is_setting; }) {
      reads.clear();
      for (const StepRun& move : moves) {
        const bool is_new = from_value(move) == nullptr && !move.backwards;
        const auto* setting = is_new ? std::get_if<K>(to_value(move)) : nullptr;
        if (setting != nullptr) reads.push_back(read_request(*setting));
      }
      if (reads.empty()) return;
      const std::vector<wire::Reply> replies = host_->exchange(reads);
      for (std::size_t i = 0; i < reads.size(); ++i) {
        K::decode(reads[i], replies[i], surroundings_.links, found_.of<K>());
      }
    }
  });
}

std::vector<RunResult> Sender::send_company(std::span<const StepRun> moves) {
  // Together longer than duplicate address detection takes.
  constexpr int most_waits = 30;
  constexpr std::chrono::milliseconds wait{100};
  std::vector<RunResult> results;
  find_settings(moves);
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
    if (action_of(moves[i]) == Action::update) continue;
    if (const auto link = link_named(moves[i])) surroundings_.links.remove(*link);
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
