// A plan's steps by object, and how many there are: the two steps of a replacement are one to the
// reader.

#pragma once

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "plumbline/state/step.hpp"

namespace plumbline::report {

enum class Change : std::uint8_t { create, update, replace, remove };

struct Object {
  const Step* first = nullptr;
  const Step* last = nullptr;  ///< the same where there is one step
  Change change = Change::create;

  [[nodiscard]] const std::optional<Resource>& before() const { return first->before; }
  [[nodiscard]] const std::optional<Resource>& after() const { return last->after; }
  [[nodiscard]] Disruption disrupts() const { return std::max(first->disrupts, last->disrupts); }
};

/// In the order of their last steps.
[[nodiscard]] std::vector<Object> objects(const Plan& plan);
/// By Step::id.
[[nodiscard]] std::map<std::size_t, Change> changes_by_id(const Plan& plan);
/// `create`, `update`, `replace` or `delete`.
[[nodiscard]] std::string_view format(Change change);

struct Summary {
  std::size_t create = 0;
  std::size_t update = 0;
  std::size_t replace = 0;
  std::size_t remove = 0;
  std::size_t blocked = 0;

  bool operator==(const Summary&) const = default;
};

[[nodiscard]] Summary summary(const Plan& plan);

}  // namespace plumbline::report
