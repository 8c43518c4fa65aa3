#include "link_removal.hpp"

#include <algorithm>
#include <cerrno>

#include "plumbline/kinds/link_group.hpp"

namespace plumbline::engine {

namespace {

/// Per link the cost falls up to about here; the kernel holds its lock for so many at once.
constexpr std::size_t most_at_once = 128;

/// One link on its way out.
struct Leaver {
  std::size_t position = 0;  ///< among the moves
  std::uint32_t index = 0;
  std::uint32_t earlier_group = 0;
};

/// By the index known from before, else by the name: one made a moment ago.
std::uint32_t index_of(const StepRun& move, const LinkNames& known, const LinkNames& now) {
  const IfName name = link_named(move).value_or(IfName());
  const std::uint32_t index = known.index(name);
  return index != 0 ? index : now.index(name);
}

bool is_gone(const wire::Reply& reply) { return reply.error == ENODEV; }

/// Back to where they were: they have to stay.
void keep(io::Host& host, std::span<const Leaver> leavers) {
  std::vector<wire::Request> requests;
  for (const Leaver& leaver : leavers) {
    requests.push_back(move_to_group(leaver.index, leaver.earlier_group));
  }
  static_cast<void>(host.exchange(requests));
}

/// True when all went well.
bool remove_some(io::Host& host, std::span<const Leaver> leavers, std::uint32_t group,
                 std::span<RunResult> results) {
  std::vector<wire::Request> requests;
  for (const Leaver& leaver : leavers) requests.push_back(move_to_group(leaver.index, group));
  requests.push_back(remove_group(group));
  const std::vector<wire::Reply> replies = host.exchange(requests);
  const wire::Reply& removal = replies.back();
  const bool removed = removal.error == 0 || is_gone(removal);
  bool all = removed;
  for (std::size_t i = 0; i < leavers.size(); ++i) {
    const wire::Reply& move = replies[i];
    if (is_gone(move)) continue;
    const wire::Reply& reply = move.error != 0 ? move : removal;
    if (reply.error == 0 || is_gone(reply)) continue;
    results[leavers[i].position] = {reply.error, reply.message};
    all = false;
  }
  if (!removed) keep(host, leavers);
  return all;
}

}  // namespace

bool is_bulk_removal(const StepRun& move) {
  if (from_value(move) == nullptr || to_value(move) != nullptr) return false;
  return std::visit(
      [](const auto& value) {
        if constexpr (requires { goes_with_its_group(value); }) {
          return goes_with_its_group(value);
        } else {
          return false;
        }
      },
      *from_value(move));
}

std::vector<RunResult> remove_links(io::Host& host, std::span<const StepRun> moves,
                                    const LinkNames& names) {
  const wire::Request query = links_query();
  const wire::Reply links = host.exchange(std::span(&query, 1)).front();
  const LinkGroups groups(links);
  const LinkNames now = link_names(links);
  const auto unused = groups.unused();
  if (!unused) return {};
  std::vector<Leaver> leavers;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const std::uint32_t index = index_of(moves[i], names, now);
    const auto group = groups.group(index);
    if (group) leavers.push_back({i, index, *group});
  }
  std::vector<RunResult> results(moves.size());
  for (std::size_t first = 0; first < leavers.size(); first += most_at_once) {
    const std::size_t count = std::min(most_at_once, leavers.size() - first);
    const auto some = std::span(leavers).subspan(first, count);
    if (remove_some(host, some, *unused, results)) continue;
    results.resize(some.back().position + 1);
    break;
  }
  return results;
}

}  // namespace plumbline::engine
