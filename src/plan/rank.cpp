#include "rank.hpp"

namespace plumbline::plan {

namespace {

// In the order of execution. Making comes before breaking, each stage by stage.
constexpr unsigned stages = static_cast<unsigned>(Stage::rule) + 1;
constexpr unsigned guard = 0;
constexpr unsigned last_making = stages;
constexpr unsigned taking_down = 2 * stages;  // links that stay
constexpr unsigned last_removal = taking_down + 1;
constexpr unsigned put_back = last_removal + 1;
constexpr unsigned release = put_back + 1;

unsigned making(Stage stage) { return static_cast<unsigned>(stage); }

unsigned breaking(Stage stage) {
  if (stage == Stage::sysctl || stage == Stage::link_sysctl) return put_back;
  return stage == Stage::link ? last_removal : last_making + stages - static_cast<unsigned>(stage);
}

Stage stage_of(const Node& node) {
  return std::visit([](const auto& value) { return stage(value); },
                    node.after != nullptr ? *node.after : *node.before);
}

/// A change in place that is due when things are removed.
bool takes_down(const Node& node) {
  if (node.draft->forced && node.side == Side::down) return true;
  return std::visit(
      [&]<class K>(const K& before) {
        if constexpr (requires { is_taken_down(before, before); }) {
          return is_taken_down(before, std::get<K>(*node.after));
        } else {
          return false;
        }
      },
      *node.before);
}

}  // namespace

Phase phase_of(const Node& node) {
  if (stage_of(node) != Stage::guard) return Phase::main;
  const Draft& draft = *node.draft;
  if (node.action == Action::remove || draft.why == Why::unwanted) return Phase::release;
  if (draft.gradual()) return node.side == Side::down ? Phase::guard : Phase::release;
  return draft.lets_go ? Phase::release : Phase::guard;
}

unsigned rank_of(const Node& node) {
  if (node.phase == Phase::guard) return guard;
  if (node.phase == Phase::release) return release;
  const Draft& draft = *node.draft;
  const Stage stage = stage_of(node);
  const bool is_sysctl = stage == Stage::sysctl || stage == Stage::link_sysctl;
  if (draft.why == Why::unwanted && (node.action == Action::update || is_sysctl)) return put_back;
  if (node.action == Action::update && takes_down(node)) return taking_down;
  if (node.action != Action::remove) return making(stage);
  // The first half of a replacement is due when the second is, so that little time is between. What
  // is taken down by another change is due when that is.
  const bool comes_back = draft.split && (!draft.forced || stage == Stage::link);
  return comes_back ? making(stage) : breaking(stage);
}

bool is_preferred(const Node& a, const Node& b) {
  if (a.rank != b.rank) return a.rank < b.rank;
  if (*a.key == *b.key) return a.side < b.side;
  const auto by_kind = [&]<class K>(const K& key) -> std::optional<bool> {
    const auto* other = std::get_if<K>(b.key);
    if (other == nullptr) return std::nullopt;
    if constexpr (requires { is_made_before(key, *other); }) {
      return a.rank > last_making ? is_made_before(*other, key) : is_made_before(key, *other);
    } else {
      return std::nullopt;
    }
  };
  return std::visit(by_kind, *a.key).value_or(*a.key < *b.key);
}

}  // namespace plumbline::plan
