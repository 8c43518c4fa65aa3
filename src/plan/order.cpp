#include "order.hpp"

#include <algorithm>
#include <queue>

#include "rank.hpp"

namespace plumbline::plan {

namespace {

using Ends = std::map<Key, std::pair<std::size_t, std::size_t>>;

/// What it comes and goes with, where it is the one that `acts` for both, or the one that does not.
std::optional<Key> with_partner(const Resource& resource, bool acts) {
  return std::visit(
      [&](const auto& value) -> std::optional<Key> {
        if constexpr (requires { partner(value); }) {
          const auto other = partner(value);
          if (other && acts_for_both(value) == acts) return *other;
        }
        return std::nullopt;
      },
      resource);
}

bool may_be_split(const Resource& resource) {
  return std::visit(
      []<class K>(const K&) {
        return requires { requires K::may_be_split; };
      },
      resource);
}

/// The graph of steps and what each waits for.
class Graph {
 public:
  Graph(const Drafts& drafts, const Surroundings& surroundings) : around_(surroundings) {
    for (const auto& [key, draft] : drafts) add(key, draft);
    for (std::size_t i = 0; i < nodes_.size(); ++i) connect_needs(i);
    connect_pairs();
    connect_names_of_partners();
    connect_ends_of_partners();
    for (const Constraint& constraint : around_.constraints) {
      connect(find(constraint.first), find(constraint.second));
    }
    for (Node& node : nodes_) {
      std::ranges::sort(node.needs);
      node.needs.erase(std::unique(node.needs.begin(), node.needs.end()), node.needs.end());
    }
  }

  Order sorted() {
    const std::vector<std::size_t> some = any_order();
    if (some.size() < nodes_.size()) {
      if (auto key = update_in_cycle(some)) return {{}, std::move(key)};
      cut_cycle(some);
      return sorted();
    }
    hurry_removals(some);
    return {by_rank(), std::nullopt};
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  void add(const Key& key, const Draft& draft) {
    const std::size_t first = nodes_.size();
    const auto& outcome = draft.outcome();
    const auto pointer = [](const std::optional<Resource>& value) {
      return value ? &*value : nullptr;
    };
    if (draft.split || draft.gradual()) {
      push(key, draft, Side::down, pointer(draft.have), pointer(draft.middle));
      if (!draft.blocked()) push(key, draft, Side::up, pointer(draft.middle), pointer(draft.want));
    } else {
      push(key, draft, outcome ? Side::up : Side::down, pointer(draft.have), pointer(outcome));
    }
    if (nodes_.size() > first) ends_[key] = {first, nodes_.size() - 1};
  }

  void push(const Key& key, const Draft& draft, Side side, const Resource* before,
            const Resource* after) {
    if (before == nullptr && after == nullptr) return;
    if (draft.blocked() && !draft.forced) return;
    Node node{&key, &draft, side};
    node.action = before == nullptr  ? Action::create
                  : after == nullptr ? Action::remove
                                     : Action::update;
    node.before = before;
    node.after = after;
    node.phase = phase_of(node);
    node.rank = rank_of(node);
    nodes_.push_back(std::move(node));
  }

  [[nodiscard]] std::size_t find(const End& end) const {
    const auto found = ends_.find(end.key);
    if (found == ends_.end()) return none;
    const std::size_t at = end.side == Side::down ? found->second.first : found->second.second;
    // What is only taken down is never put back.
    return end.side == Side::up && nodes_[at].side == Side::down ? none : at;
  }

  void connect(std::size_t first, std::size_t second) {
    if (first == none || second == none || first == second) return;
    nodes_[second].needs.push_back(first);
  }

  /// What gives waits for its providers; what takes away goes before its providers do.
  void connect_needs(std::size_t i) {
    const Node& node = nodes_[i];
    const Draft& draft = *node.draft;
    if (node.after != nullptr && (!draft.split || node.side == Side::up)) {
      const bool is_last = node.after != (draft.middle ? &*draft.middle : nullptr);
      const Resource& after = draft.asked && is_last ? *draft.asked : *node.after;
      for (const Need& need : all_needs(after, around_.chains)) {
        const auto provider = around_.after.find(need);
        if (!provider || provider->steady) continue;
        connect(find({provider->key, Side::up}), i);
        if (provider->link) connect(find({*provider->link, Side::up}), i);
      }
    }
    if (node.before != nullptr && (!draft.split || node.side == Side::down)) {
      for (const Need& need : all_needs(*node.before, around_.chains)) {
        const auto provider = around_.before.find(need);
        if (!provider || provider->steady) continue;
        connect(i, find({provider->key, Side::down}));
        if (provider->link) connect(i, find({*provider->link, Side::down}));
      }
    }
  }

  void connect_pairs() {
    for (const auto& [key, ends] : ends_) {
      if (ends.first != ends.second) connect(ends.first, ends.second);
    }
  }

  /// Whatever had the name of the other end goes before the pair is made.
  void connect_names_of_partners() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].action != Action::create) continue;
      const auto made_too = with_partner(*nodes_[i].after, true);
      const std::size_t earlier = made_too ? find({*made_too, Side::down}) : none;
      if (earlier != none && nodes_[earlier].action == Action::remove) connect(earlier, i);
    }
  }

  /// The end of a pair that did not make it goes with the other: its name is free only then.
  void connect_ends_of_partners() {
    for (const auto& [key, ends] : ends_) {
      const Node& node = nodes_[ends.first];
      if (node.action != Action::remove) continue;
      const auto by = with_partner(*node.before, false);
      if (!by) continue;
      const std::size_t maker = find({*by, Side::down});
      connect(ends.first, maker);
      if (ends.first != ends.second) connect(maker, ends.second);
    }
  }

  [[nodiscard]] std::vector<std::vector<std::size_t>> followers() const {
    std::vector<std::vector<std::size_t>> followers(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (const std::size_t need : nodes_[i].needs) followers[need].push_back(i);
    }
    return followers;
  }

  /// Kahn's algorithm. Shorter than the graph when there is a cycle.
  [[nodiscard]] std::vector<std::size_t> any_order() const {
    const auto next = followers();
    std::vector<std::size_t> waiting;
    std::vector<std::size_t> sorted;
    for (const Node& node : nodes_) waiting.push_back(node.needs.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (waiting[i] == 0) sorted.push_back(i);
    }
    for (std::size_t at = 0; at < sorted.size(); ++at) {
      for (const std::size_t follower : next[sorted[at]]) {
        if (--waiting[follower] == 0) sorted.push_back(follower);
      }
    }
    return sorted;
  }

  /// The nodes of one cycle, found by walking backwards from a node that was never ready.
  [[nodiscard]] std::vector<std::size_t> cycle(const std::vector<std::size_t>& sorted) const {
    std::vector<bool> done(nodes_.size(), false);
    for (const std::size_t i : sorted) done[i] = true;
    const auto undone = [&](std::size_t i) { return !done[i]; };
    std::size_t at = 0;
    while (done[at]) ++at;
    std::vector<std::size_t> path;
    std::vector<bool> seen(nodes_.size(), false);
    while (!seen[at]) {
      seen[at] = true;
      path.push_back(at);
      at = *std::ranges::find_if(nodes_[at].needs, undone);
    }
    path.erase(path.begin(), std::ranges::find(path, at));
    return path;
  }

  [[nodiscard]] std::optional<Key> update_in_cycle(const std::vector<std::size_t>& sorted) const {
    std::optional<Key> smallest;
    for (const std::size_t i : cycle(sorted)) {
      const Node& node = nodes_[i];
      if (node.action != Action::update || node.draft->split) continue;
      if (may_be_split(*node.before) && (!smallest || *node.key < *smallest)) smallest = *node.key;
    }
    return smallest;
  }

  /// Nothing better is left than to try: the least important need is dropped.
  void cut_cycle(const std::vector<std::size_t>& sorted) {
    const std::vector<std::size_t> nodes = cycle(sorted);
    const auto last = std::ranges::max_element(
        nodes, std::ranges::less{}, [&](std::size_t i) { return std::pair(nodes_[i].rank, i); });
    const std::size_t before = *last;
    for (const std::size_t i : nodes) std::erase(nodes_[i].needs, before);
  }

  /// A removal that something waits for is due when that is.
  void hurry_removals(const std::vector<std::size_t>& sorted) {
    const auto next = followers();
    for (auto it = sorted.rbegin(); it != sorted.rend(); ++it) {
      Node& node = nodes_[*it];
      if (node.side != Side::down || node.phase != Phase::main) continue;
      for (const std::size_t follower : next[*it]) {
        const bool leaves = nodes_[follower].side == Side::down;
        if (leaves) node.rank = std::min(node.rank, nodes_[follower].rank);
      }
    }
  }

  [[nodiscard]] std::vector<Node> by_rank() {
    const auto next = followers();
    std::vector<std::size_t> preference(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i) preference[i] = i;
    std::ranges::sort(preference, [&](std::size_t a, std::size_t b) {
      return is_preferred(nodes_[a], nodes_[b]);
    });
    std::vector<std::size_t> standing(nodes_.size());
    for (std::size_t i = 0; i < preference.size(); ++i) standing[preference[i]] = i;

    std::vector<std::size_t> waiting;
    for (const Node& node : nodes_) waiting.push_back(node.needs.size());
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (waiting[i] == 0) ready.push(standing[i]);
    }
    std::vector<std::size_t> position(nodes_.size());
    std::vector<Node> result;
    result.reserve(nodes_.size());
    while (!ready.empty()) {
      const std::size_t i = preference[ready.top()];
      ready.pop();
      position[i] = result.size();
      result.push_back(nodes_[i]);
      for (const std::size_t follower : next[i]) {
        if (--waiting[follower] == 0) ready.push(standing[follower]);
      }
    }
    for (Node& node : result) {
      for (std::size_t& need : node.needs) need = position[need];
      std::ranges::sort(node.needs);
    }
    return result;
  }

  const Surroundings& around_;
  std::vector<Node> nodes_;
  Ends ends_;
};

}  // namespace

Order order(const Drafts& drafts, const Surroundings& surroundings) {
  return Graph(drafts, surroundings).sorted();
}

}  // namespace plumbline::plan
