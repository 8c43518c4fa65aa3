#include "verbs.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cstdio>
#include <string>

#include "output.hpp"
#include "plumbline/daemon/daemon.hpp"
#include "plumbline/io/files.hpp"
#include "plumbline/io/kernel_events.hpp"
#include "plumbline/memory/owned.hpp"
#include "plumbline/spec/compose.hpp"
#include "plumbline/spec/loadable.hpp"
#include "plumbline/spec/schema.hpp"
#include "session.hpp"
#include "terminal.hpp"
#include "usage.hpp"

namespace plumbline::cli {

namespace {

using report::Operation;

/// Before anything is looked at: there is a yes, or somebody to ask.
void must_be_able_to_ask(const Options& options) {
  if (options.yes || isatty(STDIN_FILENO) == 1) return;
  throw WrongUsage{usage_code, "without a terminal to ask on, --yes is needed"};
}

}  // namespace

int validate(const Options& options) {
  io::Files files;
  Diagnostics found;
  static_cast<void>(engine::read_spec(options.sources, files, mark(options), found));
  print(renderer(options)->checked(found));
  return found.ok() ? exit_done : exit_error;
}

int plan(const Options& options) {
  io::Files files;
  std::optional<Session> session;
  Terminal terminal(options, Operation::apply);
  const engine::Ended ended = engine::plan_files(
      {options.sources, files, mark(options)}, [&] { return session.emplace(options).context(); },
      terminal);
  if (!ended.errors.empty() || !ended.refusals.empty()) return terminal.end(ended);
  print(renderer(options)->plan(ended.prepared.plan));
  const bool pending = !ended.prepared.plan.empty() || !ended.prepared.out_of_force.empty();
  return options.detailed_exitcode && pending ? exit_pending : exit_done;
}

int apply(const Options& options) {
  io::Files files;
  std::optional<Session> session;
  Terminal terminal(options, Operation::apply);
  return terminal.end(engine::apply_files(
      {options.sources, files, mark(options)},
      [&] {
        must_be_able_to_ask(options);
        return session.emplace(options).context();
      },
      terminal));
}

int destroy(const Options& options) {
  must_be_able_to_ask(options);
  Options all = options;
  all.allow_empty = true;
  Session session(all);
  Terminal terminal(options, Operation::destroy);
  return terminal.end(engine::remove_all([&] { return session.context(); }, terminal));
}

int adopt(const Options& options) {
  must_be_able_to_ask(options);
  Session session(options);
  Terminal terminal(options, Operation::adopt);
  return terminal.end(engine::make_ours(
      options.keys, [&] { return session.context(); }, terminal));
}

int show(const Options& options) {
  Session session(options);
  const engine::Context context = session.context();
  const auto report = renderer(options);
  std::string warning;
  engine::Ledger ledger = engine::read_ledger(context.directory, warning);
  if (!warning.empty()) print(report->warnings({{Code::unreadable_file, warning, {}, {}}}));
  State have = engine::observe_for_show(context, ledger, options.all).state;
  if (!options.all) have = memory::owned_part(have, ledger.memory, context.options.mark);
  const spec::Expressible shown = spec::expressible_part(std::move(have), options.all);
  boost::json::object document = spec::compose(shown.state);
  const std::vector<Diagnostic> refused = spec::make_loadable(document);
  print(report->shown({document, shown.left_out, refused}));
  return exit_done;
}

int vms(const Options& options) {
  Session session(options);
  const auto report = renderer(options);
  std::vector<spec::Assignment> guests = engine::guests_on(session.context());
  if (!options.network.empty()) {
    std::erase_if(guests, [&](const spec::Assignment& guest) {
      return guest.network.view() != options.network;
    });
    if (guests.empty()) {
      print(report->warnings(
          {{Code::host_warning,
            "there is no guest of a network '" + options.network + "' on this host",
            {},
            {}}}));
    }
  }
  print(options.pin ? report->pinned(guests) : report->guests(guests));
  return exit_done;
}

/// One document in every format.
int schema(const Options&) {
  print({std::string(spec::schema()), {}});
  return exit_done;
}

int run(const Options& options) {
  if (std::ranges::find(options.sources, "-") != options.sources.end()) {
    throw WrongUsage{usage_code,
                     "run cannot watch standard input (-): give it files or directories"};
  }
  Session session(options);
  daemon::RunOptions run_options;
  run_options.sources = options.sources;
  run_options.interval = options.interval;
  run_options.colour = with_colour(options);
  run_options.warnings = engine::close_state_directory(session.context());
  if (options.log_level == "debug") run_options.log_level = daemon::LogLevel::debug;
  if (options.log_level == "warning") run_options.log_level = daemon::LogLevel::warning;
  if (options.log_level == "error") run_options.log_level = daemon::LogLevel::error;
  io::KernelEvents events;
  io::Files files;
  return daemon::run(run_options, session.context(), events, files);
}

}  // namespace plumbline::cli
