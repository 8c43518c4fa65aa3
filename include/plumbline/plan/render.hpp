// A plan as people and programs read it: docs/cli.md is the contract.

#pragma once

#include <boost/json/fwd.hpp>
#include <map>
#include <string>
#include <string_view>

#include "plumbline/plan/plan.hpp"

namespace plumbline {

struct Summary {
  std::size_t create = 0;
  std::size_t update = 0;
  std::size_t replace = 0;
  std::size_t remove = 0;
  std::size_t blocked = 0;

  bool operator==(const Summary&) const = default;
};

[[nodiscard]] Summary summary(const Plan& plan);

/// One line per object, then what is blocked, warnings, and the closing sentence. The same plan
/// gives the same bytes. `colour`: ANSI sequences on the signs.
[[nodiscard]] std::string render_text(const Plan& plan, bool colour);
[[nodiscard]] boost::json::value render_json(const Plan& plan);
/// By Step::id, `create`, `update`, `replace` or `delete`: a replacement's two steps are one to the
/// reader.
[[nodiscard]] std::map<std::size_t, std::string_view> shown_actions(const Plan& plan);

}  // namespace plumbline
