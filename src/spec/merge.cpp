#include "merge.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>

#include "plumbline/state/state.hpp"

namespace plumbline::spec {

namespace {

using wire::Array;
using wire::Node;
using wire::Object;

template <class Container>
bool all_are(const std::vector<Node>& nodes) {
  return std::ranges::all_of(nodes,
                             [](const Node& node) { return node.get<Container>() != nullptr; });
}

class Merging {
 public:
  explicit Merging(Diagnostics& diagnostics) : diagnostics_(&diagnostics) {}

  /// One value of those that different files give for the same place, in the order of the files.
  Node merge(std::vector<Node> nodes) {
    if (nodes.size() == 1 || is_of_a_file()) return std::move(nodes.front());
    if (all_are<Object>(nodes)) return merge_objects(std::move(nodes));
    if (all_are<Array>(nodes) && is_joined()) return join_arrays(std::move(nodes));
    report(nodes);
    return std::move(nodes.front());
  }

 private:
  Node merge_objects(std::vector<Node> nodes);
  static Node join_arrays(std::vector<Node> nodes);
  void report(const std::vector<Node>& nodes);

  /// What each file says of itself.
  [[nodiscard]] bool is_of_a_file() const {
    return path_.size() == 1 && (path_[0] == "version" || path_[0] == "$schema");
  }
  /// `/routes` and other sections, and `insert` and `append` of `/iptables/TABLE/shared/CHAIN`.
  [[nodiscard]] bool is_joined() const {
    if (path_.size() == 1) return is_section(path_[0]);
    return path_.size() == 5 && path_[0].ends_with("tables") && path_[2] == "shared" &&
           (path_[4] == "insert" || path_[4] == "append");
  }

  Diagnostics* diagnostics_;
  std::vector<std::string> path_;
};

Node Merging::merge_objects(std::vector<Node> nodes) {
  struct Group {
    std::string key;
    Origin key_origin;
    std::vector<Node> values;
  };
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (Node& node : nodes) {
    for (wire::Member& member : std::get<Object>(node.value)) {
      const auto [place, is_new] = places.emplace(member.key, groups.size());
      if (is_new) groups.push_back({std::move(member.key), member.key_origin, {}});
      groups[place->second].values.push_back(std::move(member.value));
    }
  }
  Object merged;
  for (Group& group : groups) {
    path_.push_back(group.key);
    Node value = merge(std::move(group.values));
    path_.pop_back();
    merged.push_back({std::move(group.key), std::move(group.key_origin), std::move(value)});
  }
  return {nodes.front().origin, nodes.front().index, std::move(merged)};
}

Node Merging::join_arrays(std::vector<Node> nodes) {
  Node joined = std::move(nodes.front());
  auto& elements = std::get<Array>(joined.value);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    std::ranges::move(std::get<Array>(nodes[i].value), std::back_inserter(elements));
  }
  return joined;
}

void Merging::report(const std::vector<Node>& nodes) {
  std::string pointer;
  for (const auto& key : path_) pointer += wire::pointer_step(key);
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    diagnostics_->error(
        Code::conflicting_files,
        "'" + path_.back() + "' is already given at " + format(nodes.front().origin),
        nodes[i].origin, pointer);
  }
}

}  // namespace

Node merge(std::vector<Node> trees, Diagnostics& diagnostics) {
  return Merging(diagnostics).merge(std::move(trees));
}

}  // namespace plumbline::spec
