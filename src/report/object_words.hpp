// What a plan does to one object, in words that are printable(): the terminal and the log say the
// same.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan_objects.hpp"

namespace plumbline::report {

/// `+`, `~`, `-/+` or `-`
[[nodiscard]] std::string_view sign_of(Change change);
/// `link br0: mtu 1500 -> 1400  (changed)  ! disrupts traffic`
[[nodiscard]] std::string words_of(const Object& object);
/// The rules of a chain that go, come or move, one a line.
[[nodiscard]] std::vector<std::string> rules_of(const Object& object);
/// `link eth9, link eth8 up`
[[nodiscard]] std::string waits_of(const Blocked& blocked);
/// `No changes. The host matches the spec.`, or how many objects are touched.
[[nodiscard]] std::string closing_of(const Plan& plan);

}  // namespace plumbline::report
