// What is wrong with the command line itself, or asks for what is not built yet: exit 64.
//
// No Diagnostic: those are of an input, whose files they have places in.

#pragma once

#include <string>
#include <string_view>

namespace plumbline::cli {

/// As codes are in docs/errors.md.
inline constexpr std::string_view usage_code = "USAGE";

/// Thrown where it is found, before anything was done.
struct WrongUsage {
  std::string_view code;
  std::string message;
};

}  // namespace plumbline::cli
