// A plan's steps by object: the two steps of a replacement are one to the reader.

#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "plumbline/plan/plan.hpp"

namespace plumbline {

enum class Shown : std::uint8_t { create, update, replace, remove };

struct Object {
  const Step* first = nullptr;
  const Step* last = nullptr;  ///< the same where there is one step
  Shown shown = Shown::create;

  [[nodiscard]] const std::optional<Resource>& before() const { return first->before; }
  [[nodiscard]] const std::optional<Resource>& after() const { return last->after; }
  [[nodiscard]] Disruption disrupts() const { return std::max(first->disrupts, last->disrupts); }
};

/// In the order of their last steps.
[[nodiscard]] std::vector<Object> objects(const Plan& plan);
/// `create`, `update`, `replace` or `delete`.
[[nodiscard]] std::string_view format(Shown shown);

}  // namespace plumbline
