// Valid specs in which every key of the format stands at least once, for tests that change them.

#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "tests/support/memory_files.hpp"

namespace plumbline::testing {

struct SpecSample {
  std::string name;
  boost::json::value document;
};

/// Small ones of one section each, written for this.
[[nodiscard]] std::vector<SpecSample> small_specs();
/// Every file in specs/ and every whole spec in docs/ that is meant to be good.
[[nodiscard]] std::vector<SpecSample> published_specs();

/// The files that samples name.
[[nodiscard]] MemoryFiles files_of_samples();

}  // namespace plumbline::testing
