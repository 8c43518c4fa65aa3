#include "verbs.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <string>

#include "guests.hpp"
#include "output.hpp"
#include "plumbline/daemon/daemon.hpp"
#include "plumbline/engine/adopt.hpp"
#include "plumbline/io/files.hpp"
#include "plumbline/plan/expressible.hpp"
#include "plumbline/plan/owned.hpp"
#include "plumbline/plan/render.hpp"
#include "plumbline/spec/compose.hpp"
#include "plumbline/spec/loadable.hpp"
#include "plumbline/spec/schema.hpp"
#include "session.hpp"
#include "undisturbed.hpp"
#include "usage.hpp"

namespace plumbline::cli {

namespace json = boost::json;

namespace {

std::optional<spec::Desired> read(const Options& options) {
  io::Files files;
  Diagnostics diagnostics;
  spec::Desired desired =
      engine::read_spec(options.sources, files, plan_options(options).mark, diagnostics);
  print_warnings(options, diagnostics.warnings);
  if (diagnostics.ok()) return desired;
  print_errors(options, diagnostics.errors);
  return std::nullopt;
}

void print_plan(const Options& options, const Plan& plan) {
  if (options.json()) {
    print_json(render_json(plan));
  } else {
    std::fputs(render_text(plan, with_colour(options)).c_str(), stdout);
  }
}

/// Asks on standard error, reads from the terminal. Anything but yes is no.
bool confirmed(const char* question) {
  std::fprintf(stderr, "%s [y/N] ", question);
  char answer[8] = {};
  if (std::fgets(answer, sizeof answer, stdin) == nullptr) return false;
  const std::string text = answer;
  return text == "y\n" || text == "yes\n" || text == "Y\n";
}

/// Prints warnings, and why there is no plan or why it may not be carried out: then the exit
/// status.
std::optional<int> told_why_not(const Options& options, const engine::Prepared& prepared) {
  print_warnings(options, prepared.warnings);
  if (!prepared.errors.empty()) {
    print_errors(options, prepared.errors);
    return exit_error;
  }
  if (!prepared.plan.refusals.empty()) {
    print_warnings(options, prepared.plan.warnings);
    print_refusal(options, prepared.plan.refusals);
    return exit_refused;
  }
  return std::nullopt;
}

/// Before anything is looked at: there is a yes, or somebody to ask.
void must_be_able_to_ask(const Options& options) {
  if (options.yes || isatty(STDIN_FILENO) == 1) return;
  throw WrongUsage{usage_code, "without a terminal to ask on, --yes is needed"};
}

int exit_status(engine::Result result) {
  switch (result) {
    case engine::Result::rolled_back:
      return exit_rolled_back;
    case engine::Result::failed:
      return exit_left_behind;
    case engine::Result::refused:
      return exit_refused;
    case engine::Result::unchanged:
    case engine::Result::applied:
      break;
  }
  return exit_done;
}

/// All is done, but what was before us may not all be back.
int exit_status(const engine::Outcome& outcome) {
  const int status = exit_status(outcome.result);
  return status == exit_done && !outcome.not_put_back.empty() ? exit_left_behind : status;
}

/// Asks where there is something to ask about. The question may stand for long, so that after a yes
/// the host is looked at again: what is carried out is what was shown. The exit status where not.
template <class Prepare>
std::optional<int> told_no(const Options& options, engine::Prepared& prepared, const char* question,
                           Prepare&& prepare) {
  if (options.yes || prepared.idle()) return std::nullopt;
  if (!confirmed(question)) {
    print_refusal(options, {{Code::not_confirmed, "answered no", {}, {}}});
    return exit_refused;
  }
  engine::Prepared again = prepare();
  if (!again.errors.empty() || again.plan != prepared.plan) {
    print_refusal(options, {{Code::stale_plan, "the host changed meanwhile", {}, {}}});
    return exit_refused;
  }
  prepared = std::move(again);
  return std::nullopt;
}

/// From a desired state to the end of an apply.
int carry_out(const Options& options, const spec::Desired& desired, const char* question,
              const char* done) {
  must_be_able_to_ask(options);
  Session session(options);
  std::optional<engine::Lock> lock = session.lock(options);
  if (!lock) return exit_refused;
  const engine::Context context = session.context();
  const auto prepare = [&] { return engine::prepare(context, desired); };
  engine::Prepared prepared = prepare();
  if (const auto status = told_why_not(options, prepared)) return *status;
  if (!options.json()) print_plan(options, prepared.plan);
  if (const auto status = told_no(options, prepared, question, prepare)) return *status;
  stay_undisturbed();
  const engine::Outcome outcome = engine::carry_out(context, prepared);
  // Nobody has to wait for whoever reads what is printed.
  lock.reset();
  print_outcome(options, prepared, outcome, done);
  return exit_status(outcome);
}

}  // namespace

int validate(const Options& options) {
  io::Files files;
  Diagnostics diagnostics;
  static_cast<void>(
      engine::read_spec(options.sources, files, plan_options(options).mark, diagnostics));
  if (options.json()) {
    print_json(json::object{{"errors", to_json(diagnostics.errors)},
                            {"warnings", to_json(diagnostics.warnings)}});
  } else {
    print_warnings(options, diagnostics.warnings);
    if (!diagnostics.ok()) print_errors(options, diagnostics.errors);
  }
  return diagnostics.ok() ? exit_done : exit_error;
}

int plan(const Options& options) {
  std::optional<spec::Desired> desired = read(options);
  if (!desired) return exit_error;
  Session session(options);
  const engine::Prepared prepared = engine::prepare(session.context(), std::move(*desired));
  if (const auto status = told_why_not(options, prepared)) return *status;
  print_plan(options, prepared.plan);
  const bool pending = !prepared.plan.empty() || !prepared.out_of_force.empty();
  return options.detailed_exitcode && pending ? exit_pending : exit_done;
}

int apply(const Options& options) {
  std::optional<spec::Desired> desired = read(options);
  if (!desired) return exit_error;
  return carry_out(options, *desired, "Apply this plan?", "Applied. The host matches the spec.");
}

int destroy(const Options& options) {
  Options all = options;
  all.allow_empty = true;
  return carry_out(all, {}, "Remove all of this?", "Removed. What was before is back.");
}

int adopt(const Options& options) {
  must_be_able_to_ask(options);
  Session session(options);
  std::optional<engine::Lock> lock = session.lock(options);
  if (!lock) return exit_refused;
  const engine::Context context = session.context();
  const auto prepare = [&] { return engine::prepare_adoption(context, options.keys); };
  engine::Prepared prepared = prepare();
  if (const auto status = told_why_not(options, prepared)) return *status;
  if (!options.json() && prepared.plan.empty()) std::puts("Nothing to do: all of it is ours.");
  if (!options.json() && !prepared.plan.empty()) print_plan(options, prepared.plan);
  const auto status = told_no(
      options, prepared,
      "Make these ours? The next apply removes those that its spec does not want.", prepare);
  if (status) return *status;
  stay_undisturbed();
  const engine::Outcome outcome = engine::adopt(context, prepared);
  lock.reset();
  print_outcome(options, prepared, outcome,
                "Adopted. Apply a spec that wants it: what no spec wants is removed.");
  return exit_status(outcome.result);
}

int show(const Options& options) {
  Session session(options);
  const engine::Context context = session.context();
  std::string warning;
  engine::Ledger ledger = engine::read_ledger(context.directory, warning);
  if (!warning.empty()) print_warnings(options, {{Code::unreadable_file, warning, {}, {}}});
  State have = engine::observe_for_show(context, ledger, options.all).state;
  if (!options.all) have = owned_part(have, ledger.memory, context.options.mark);
  const Expressible shown = expressible_part(std::move(have), options.all);
  json::object document = spec::compose(shown.state);
  const std::vector<Diagnostic> refused = spec::make_loadable(document);
  print_left_out(options, shown.left_out, refused);
  if (options.json()) {
    print_json(document);
  } else {
    std::fputs(pretty(document).c_str(), stdout);
  }
  return exit_done;
}

int vms(const Options& options) {
  Session session(options);
  std::vector<spec::Assignment> guests = engine::guests_on(session.context());
  if (!options.network.empty()) {
    std::erase_if(guests, [&](const spec::Assignment& guest) {
      return guest.network.view() != options.network;
    });
    if (guests.empty()) {
      print_warnings(options,
                     {{Code::host_warning,
                       "there is no guest of a network '" + options.network + "' on this host",
                       {},
                       {}}});
    }
  }
  if (options.pin) {
    const json::object document = guests_spec(guests);
    if (options.json()) {
      print_json(document);
    } else {
      std::fputs(pretty(document).c_str(), stdout);
    }
  } else if (options.json()) {
    print_json(guests_json(guests));
  } else {
    std::fputs(guests_text(guests).c_str(), stdout);
  }
  return exit_done;
}

/// One document in every format.
int schema(const Options&) {
  const std::string_view text = spec::schema();
  std::fwrite(text.data(), 1, text.size(), stdout);
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
  run_options.warnings = session.close_state_directory();
  if (options.log_level == "debug") run_options.log_level = daemon::LogLevel::debug;
  if (options.log_level == "warning") run_options.log_level = daemon::LogLevel::warning;
  if (options.log_level == "error") run_options.log_level = daemon::LogLevel::error;
  io::Files files;
  return daemon::run(run_options, session.context(), files);
}

}  // namespace plumbline::cli
