// What the command line says, after CLI11 has read it.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plumbline/report/report.hpp"

namespace plumbline::cli {

struct Options {
  // global
  std::string netns;
  std::string iptables = "auto";
  report::Format format = report::Format::text;
  std::string color = "auto";
  std::string log_level = "info";
  bool quiet = false;
  unsigned route_protocol = 112;
  // of verbs
  std::vector<std::string> sources;
  std::vector<std::string> keys;
  bool detailed_exitcode = false;
  bool yes = false;
  bool allow_empty = false;
  bool take_foreign = false;
  bool all = false;
  std::string network;
  bool pin = false;
  std::chrono::milliseconds interval{60'000};
};

/// docs/cli.md, "Exit status".
enum Exit : int {
  exit_done = 0,
  exit_error = 1,
  exit_pending = 2,
  exit_rolled_back = 3,
  exit_refused = 4,
  exit_left_behind = 5,
  exit_usage = 64,
};

}  // namespace plumbline::cli
