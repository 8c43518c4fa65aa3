// What this host offers and what stands in plumbline's way.
//
// Only looks: it changes nothing, takes no lock, and asks nothing that would make the kernel load a
// module. What it may not see it says so.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/io/backend.hpp"

namespace plumbline::doctor {

enum class Level : std::uint8_t { ok, warning, problem };

/// `ok`, `warning`, `problem`
[[nodiscard]] std::string_view format(Level level);

struct Finding {
  Level level = Level::ok;
  std::string_view code;  ///< a stable word, the same whatever the level
  std::string message;
  std::string advice;  ///< what to do; empty when there is nothing to do
};

struct Examination {
  io::Backend backend = io::Backend::automatic;
  /// Where /etc, /run, /usr/lib and the cgroups are looked for. The kernel is always the one that
  /// runs, and the network namespace the calling thread's.
  std::filesystem::path root = "/";
};

/// The findings of each part together, from the kernel up to the neighbours.
[[nodiscard]] std::vector<Finding> examine(const Examination& examination);

}  // namespace plumbline::doctor
