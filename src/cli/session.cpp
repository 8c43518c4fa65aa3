#include "session.hpp"

#include "plumbline/io/namespace.hpp"

namespace plumbline::cli {

namespace {

/// Enters the namespace before any member is made: sockets belong to where they were opened.
io::Backend backend_in_namespace(const Options& options) {
  if (!options.netns.empty()) io::enter_namespace(options.netns);
  return io::parse_backend(options.iptables).value_or(io::Backend::automatic);
}

}  // namespace

Mark mark(const Options& options) {
  return Mark{static_cast<std::uint8_t>(options.route_protocol)};
}

Session::Session(const Options& options) : Session(options, backend_in_namespace(options)) {}

Session::Session(const Options& options, io::Backend backend)
    : plan_options_{mark(options), options.take_foreign, options.allow_empty},
      host_(backend),
      scratch_(backend),
      compiler_(scratch_, firewall::compile_cache_path),
      directory_(engine::state_directory()) {}

engine::Context Session::context() {
  return {host_, compiler_, ruleset_, directory_, plan_options_, false};
}

}  // namespace plumbline::cli
