// Small specs, one for each thing plumbline keeps, for passes on a simulated host.

#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace plumbline::sim {

struct NamedSpec {
  std::string name;  ///< as part of the name of a test
  std::string text;
};

/// For names of tests.
inline void PrintTo(const NamedSpec& spec, std::ostream* out) { *out << spec.name; }

[[nodiscard]] const std::vector<NamedSpec>& specs();
/// Of that name; throws std::out_of_range.
[[nodiscard]] const std::string& spec(const std::string& name);
/// `{ "version": 1 }`
[[nodiscard]] const std::string& empty_spec();

}  // namespace plumbline::sim
