#include "session.hpp"

#include "output.hpp"
#include "plumbline/io/namespace.hpp"

namespace plumbline::cli {

namespace {

/// Enters the namespace before any member is made: sockets belong to where they were opened.
io::Backend backend_in_namespace(const Options& options) {
  if (!options.netns.empty()) io::enter_namespace(options.netns);
  return io::parse_backend(options.iptables).value_or(io::Backend::automatic);
}

}  // namespace

PlanOptions plan_options(const Options& options) {
  return {Mark{static_cast<std::uint8_t>(options.route_protocol)}, options.take_foreign,
          options.allow_empty};
}

Session::Session(const Options& options) : Session(options, backend_in_namespace(options)) {}

Session::Session(const Options& options, io::Backend backend)
    : plan_options_(plan_options(options)),
      host_(backend),
      scratch_(backend),
      compiler_(scratch_, firewall::compile_cache_path),
      directory_(engine::state_directory()) {}

engine::Context Session::context() {
  return {host_, compiler_, ruleset_, directory_, plan_options_, false};
}

std::vector<Diagnostic> Session::close_state_directory() const {
  std::vector<Diagnostic> warnings;
  for (const std::filesystem::path& path : {directory_.parent_path(), directory_}) {
    std::string words = io::close_to_others(path);
    if (!words.empty()) warnings.push_back({Code::host_warning, std::move(words), {}, {}});
  }
  return warnings;
}

std::optional<engine::Lock> Session::lock(const Options& options) const {
  print_warnings(options, close_state_directory());
  int holder = 0;
  std::optional<engine::Lock> lock = engine::Lock::take(directory_, holder);
  if (!lock) {
    const std::string who =
        holder == 0 ? "another plumbline" : "plumbline with pid " + std::to_string(holder);
    print_refusal(options, {{Code::locked, who + " is at work in this network namespace", {}, {}}});
  }
  return lock;
}

}  // namespace plumbline::cli
