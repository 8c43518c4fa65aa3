// Where the bytes that report makes are put: results on standard output, the rest on standard
// error.

#pragma once

#include <memory>

#include "options.hpp"
#include "plumbline/report/report.hpp"

namespace plumbline::cli {

/// Whether standard output takes colour: `--color`, NO_COLOR, and whether it is a terminal.
[[nodiscard]] bool with_colour(const Options& options);

/// As `--format`, `--color` and `--quiet` ask for.
[[nodiscard]] std::unique_ptr<report::Renderer> renderer(const Options& options);

/// First what is said beside the result, then the result.
void print(const report::Printed& printed);

}  // namespace plumbline::cli
