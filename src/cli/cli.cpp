#include "plumbline/cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <set>
#include <sstream>
#include <string_view>

#include "format_word.hpp"
#include "options.hpp"
#include "output.hpp"
#include "plumbline/engine/ledger_file.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/wire/netlink.hpp"
#include "usage.hpp"
#include "verbs.hpp"

namespace plumbline::cli {

namespace {

using Verb = int (*)(const Options&);

/// Named by the contract and not built yet: exit 64, and says so.
constexpr const char* verbs_to_come[] = {"confirm", "rollback", "status", "history", "graph"};

/// So are these words of `--format`, of `plan` and `graph`.
const std::set<std::string> formats_to_come{"markdown", "commands", "svg", "dot", "mermaid"};

[[noreturn]] void not_available(const std::string& what) {
  throw WrongUsage{format(Code::not_available), what + ": not available"};
}

std::string is_a_format(const std::string& word) {
  if (report::parse_format(word)) return "";
  if (formats_to_come.contains(word)) not_available("option --format " + word);
  return word + " not in " + format_words();
}

void add_globals(CLI::App& app, Options& options) {
  app.add_option("--netns", options.netns,
                 "Act on this network namespace: a name of ip-netns(8), or a path");
  app.add_option("--iptables", options.iptables, "Which iptables to use")
      ->check(CLI::IsMember({"auto", "nft", "legacy"}));
  app.add_option_function<std::string>(
         "--format",
         [&options](const std::string& word) {
           options.format = report::parse_format(word).value_or(options.format);
         },
         "How results are printed")
      ->check(CLI::Validator(is_a_format, format_words()));
  app.add_option("--color", options.color, "Colour in text: auto looks for a terminal and NO_COLOR")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_option("--log-level", options.log_level, "What `run` logs")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.add_option("--route-protocol", options.route_protocol,
                 "The number that marks our routes, rules, addresses and neighbours")
      ->check(CLI::Range(5, 255));
  app.add_flag("--quiet", options.quiet, "No warnings");
}

void add_flags_to_come(CLI::App& verb, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    verb.add_flag_callback(name, [name] { not_available("option " + name); })->group("");
  }
}

/// Options that take a value, and may be given more than once.
void add_options_to_come(CLI::App& verb, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    verb.add_option_function<std::vector<std::string>>(
            name, [name](const std::vector<std::string>&) { not_available("option " + name); })
        ->allow_extra_args(false)
        ->group("");
  }
}

void add_verbs_to_come(CLI::App& app) {
  for (const std::string name : verbs_to_come) {
    // Whatever stands behind them, they are what is not available.
    app.add_subcommand(name, "(not available yet)")
        ->allow_extras()
        ->fallthrough(false)
        ->group("")
        ->callback([name] { not_available("verb " + name); });
  }
}

void add_sources(CLI::App& verb, Options& options) {
  verb.add_option("SPEC", options.sources, "A file, a directory, or - for standard input")
      ->required();
}

void add_interval(CLI::App& verb, Options& options) {
  verb.add_option_function<std::string>(
          "--interval",
          [&options](const std::string& text) {
            static const std::map<std::string, double> units{
                {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
            double value = 0;
            std::size_t end = 0;
            try {
              value = std::stod(text, &end);
            } catch (const std::exception&) {
              end = 0;
            }
            const auto unit = units.find(end < text.size() ? text.substr(end) : "s");
            if (end == 0 || unit == units.end() || !(value * unit->second >= 100) ||
                value * unit->second > 86'400'000) {
              throw CLI::ValidationError("--interval", "expected 100ms to 24h, such as 60s");
            }
            options.interval = std::chrono::milliseconds(
                static_cast<std::chrono::milliseconds::rep>(value * unit->second));
          },
          "Time between passes without an event")
      ->type_name("TIME");
}

CLI::App* add_verb(CLI::App& app, Verb& chosen, const std::string& name, Verb verb,
                   const std::string& about) {
  CLI::App* sub = app.add_subcommand(name, about)->group("Verbs");
  sub->callback([&chosen, verb] { chosen = verb; });
  return sub;
}

void add_verbs(CLI::App& app, Options& options, Verb& chosen) {
  add_sources(*add_verb(app, chosen, "validate", validate, "Check a spec; touches no kernel state"),
              options);

  CLI::App* sub = add_verb(app, chosen, "plan", plan, "Show what apply would do, and why");
  add_sources(*sub, options);
  sub->add_flag("--detailed-exitcode", options.detailed_exitcode,
                "Exit 2 when changes are pending");
  sub->add_flag("--allow-empty", options.allow_empty, "Plan even what removes everything of ours");
  sub->add_flag("--take-foreign", options.take_foreign,
                "Remove links along with what others put on them");
  add_options_to_come(*sub, {"--out", "--explain"});
  add_flags_to_come(*sub, {"--rehearse"});

  sub = add_verb(app, chosen, "apply", apply, "Plan, ask, and carry out as one transaction");
  sub->add_option("SPEC", options.sources, "A file, a directory, or - for standard input");
  sub->add_flag("--yes", options.yes, "Do not ask");
  sub->add_flag("--allow-empty", options.allow_empty, "Also when it removes everything of ours");
  sub->add_flag("--take-foreign", options.take_foreign,
                "Remove links along with what others put on them");
  add_options_to_come(*sub, {"--plan", "--confirm-within", "--probe"});
  add_flags_to_come(*sub, {"--allow-lockout"});

  sub = add_verb(app, chosen, "destroy", destroy,
                 "Remove everything that is ours, put back what was before");
  sub->add_flag("--yes", options.yes, "Do not ask");
  sub->add_flag("--take-foreign", options.take_foreign,
                "Remove links along with what others put on them");

  sub = add_verb(app, chosen, "adopt", adopt,
                 "Make existing objects ours, so that a spec can take them over");
  sub->add_option("KEY", options.keys, "What plans call it, as one argument: 'link br0'")
      ->required();
  sub->add_flag("--yes", options.yes, "Do not ask");

  sub = add_verb(app, chosen, "show", show, "Print the observed state, as a spec");
  sub->add_flag("--all", options.all, "Everything that can be expressed, not only ours");

  sub = add_verb(app, chosen, "vms", vms, "List the guests of this host, with what starts them");
  sub->add_option("--network", options.network, "Only those of this network");
  sub->add_flag("--pin", options.pin, "As a spec that gives explicitly what they are assigned");

  sub = add_verb(app, chosen, "run", run, "Keep the host as the spec says");
  add_sources(*sub, options);
  sub->get_option("SPEC")->description("A file or a directory");
  add_interval(*sub, options);
  sub->add_flag("--allow-empty", options.allow_empty,
                "Follow a spec that removes everything of ours");
  sub->add_flag("--take-foreign", options.take_foreign,
                "Remove links along with what others put on them");

  static_cast<void>(add_verb(app, chosen, "doctor", doctor,
                             "Say what this host offers and what stands in the way"));

  static_cast<void>(
      add_verb(app, chosen, "schema", schema, "Print the JSON Schema of the spec format"));

  add_verbs_to_come(app);
}

std::string printable_lines(const std::string& text) {
  std::string shown;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) shown += printable(line) + "\n";
  return shown;
}

/// CLI11 knows verbs as subcommands, and does not name the word that is none.
std::string without_verb(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining();
  const auto verb = std::ranges::find_if_not(
      words, [](const std::string& word) { return word.starts_with('-'); });
  return verb == words.end() ? "a verb is required" : "there is no verb '" + printable(*verb) + "'";
}

/// Said, or help given, in the way of CLI11.
int end(const CLI::App& app, const CLI::ParseError& error, report::Format format) {
  if (app.exit(error) == 0) return exit_done;
  print(report::renderer(format, {})->wrong_usage(usage_code, error.what()));
  return exit_usage;
}

int tell(const WrongUsage& wrong, report::Format format) {
  std::fprintf(stderr, "plumbline: %s\n", printable(wrong.message).c_str());
  print(report::renderer(format, {})->wrong_usage(wrong.code, wrong.message));
  return exit_usage;
}

int cannot_go_on(const Options& options, const std::string& why,
                 std::string_view code = format(Code::cannot_observe)) {
  print(renderer(options)->error(code, why));
  return exit_error;
}

/// What a verb that only prints has printed must arrive: the spec of `show` on a full disk is none.
/// Of what was changed the exit status says what became of it, whoever read the report.
int with_all_printed(int status, bool changes) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  // A reader that has seen enough, as head(1) does, needs no words.
  if (errno != EPIPE) std::fputs("plumbline: standard output cannot be written\n", stderr);
  return !changes && (status == exit_done || status == exit_pending) ? exit_error : status;
}

bool is_for_changes(Verb verb) {
  return std::ranges::any_of(std::array<Verb, 4>{apply, destroy, adopt, run},
                             [&](Verb one) { return one == verb; });
}

int carried_out(Verb chosen, const Options& options) {
  try {
    return chosen(options);
  } catch (const WrongUsage& wrong) {
    return tell(wrong, options.format);
  } catch (const engine::CannotRemember& error) {
    return cannot_go_on(options, error.what(), engine::cannot_remember_code);
  } catch (const io::NotPrivate& error) {
    return cannot_go_on(options, error.what(), engine::unsafe_state_code);
  } catch (const wire::Malformed& error) {
    return cannot_go_on(options,
                        std::string("the kernel or iptables said something odd: ") + error.what());
  } catch (const std::exception& error) {
    return cannot_go_on(options, error.what());
  }
}

}  // namespace

int run(int argc, char** argv) {
  // A reader of ours that goes away must not end us between two changes.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Keeps a Linux host's network as its spec says.", "plumbline");
  app.set_version_flag("--version", "plumbline " PLUMBLINE_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Options options;
  Verb chosen = nullptr;
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  // CLI11 quotes what it was given.
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    return printable_lines(CLI::FailureMessage::simple(failed, error));
  });
  add_globals(app, options);
  add_verbs(app, options, chosen);
  const report::Format format = format_in({argv, argv + argc});
  try {
    app.parse(argc, argv);
    if (options.sources.empty() && chosen == static_cast<Verb>(apply)) {
      throw CLI::RequiredError("SPEC");
    }
  } catch (const CLI::RequiredError& error) {
    if (!app.get_subcommands().empty()) return end(app, error, format);
    return end(app, {without_verb(app), CLI::ExitCodes::RequiredError}, format);
  } catch (const CLI::ParseError& error) {
    return end(app, error, format);
  } catch (const WrongUsage& wrong) {
    return tell(wrong, format);
  }
  return with_all_printed(carried_out(chosen, options), is_for_changes(chosen));
}

}  // namespace plumbline::cli
