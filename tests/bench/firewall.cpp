// What a chain of 10 000 rules costs, beside what iptables-nft takes for the same chain.
//
// Runs in a network namespace of its own. docs/testing.md has figures and says how to read them.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "plumbline/engine/pass.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/scratch_host.hpp"

namespace plumbline {
namespace {

constexpr std::uint32_t count = 10'000;
constexpr std::uint32_t middle = count / 2;
const std::string chain_name = "APP";

using Seconds = std::chrono::duration<double>;

std::string rule_text(std::uint32_t number, std::uint32_t port) {
  return "-s 10.0." + std::to_string(number / 256) + "." + std::to_string(number % 256) +
         "/32 -p tcp -m tcp --dport " + std::to_string(port) + " -j ACCEPT";
}

/// A version of the chain: every rule has `port`, the one in the middle `middle_port`.
std::vector<std::string> rule_texts(std::uint32_t port, std::uint32_t middle_port) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < count; ++i) {
    texts.push_back(rule_text(i, i == middle ? middle_port : port));
  }
  return texts;
}

std::vector<std::string> first() { return rule_texts(80, 80); }
std::vector<std::string> with_one_other() { return rule_texts(80, 81); }
std::vector<std::string> with_all_others() { return rule_texts(443, 443); }

/// As the daemon keeps it once the spec is read.
spec::Desired desired_chain(const std::vector<std::string>& texts) {
  spec::Spec spec;
  const auto file = std::make_shared<const std::string>("bench.json");
  const Chain chain{Family::inet, "filter", chain_name, RuleList::Rules(texts.begin(), texts.end()),
                    false};
  auto& origins = spec.rule_origins[key(chain)];
  for (std::uint32_t i = 0; i < count; ++i) origins.push_back({file, i + 1, 1});
  spec.state.of<Chain>().push_back(chain);
  return spec::expand(std::move(spec), Mark{});
}

/// Everything a pass works with; the directory goes with it, and so does the chain.
class Site {
 public:
  Site() { std::filesystem::create_directories(directory_); }
  ~Site() {
    make({});
    std::filesystem::remove_all(directory_);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  engine::Context context() { return {host_, compiler_, ruleset_, directory_, options_, false}; }
  io::ScratchHost& scratch() { return scratch_; }
  io::KernelHost& host() { return host_; }
  firewall::Ruleset& ruleset() { return ruleset_; }

  engine::Prepared prepare(const spec::Desired& desired) {
    auto prepared = engine::prepare(context(), desired);
    if (!prepared.errors.empty() || !prepared.plan.refusals.empty()) std::abort();
    return prepared;
  }

  engine::Result make(const spec::Desired& desired) {
    const auto outcome = engine::carry_out(context(), prepare(desired));
    if (!outcome.unsettled.empty()) std::abort();
    return outcome.result;
  }

 private:
  io::KernelHost host_;
  io::ScratchHost scratch_{io::Backend::nft};
  firewall::IptablesCompiler compiler_{scratch_};
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / "plumbline-bench-ledger";
  plan::Options options_{Mark{}, false, true};
};

/// Runs a program with a file as its input, whose output nobody reads.
void run(std::vector<std::string> arguments, const std::string& input = "/dev/null") {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t child = -1;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error(arguments.front() + " failed");
  }
}

/// The chain as iptables-nft-restore --noflush takes it: emptied and filled anew.
class RestoreInput {
 public:
  RestoreInput(const std::string& name, const std::vector<std::string>& texts)
      : path_(std::filesystem::temp_directory_path() / ("plumbline-bench-" + name)) {
    std::ofstream file(path_);
    file << "*filter\n:" << chain_name << " - [0:0]\n";
    for (const std::string& text : texts) file << "-A " << chain_name << " " << text << "\n";
    file << "COMMIT\n";
  }
  ~RestoreInput() { std::filesystem::remove(path_); }
  RestoreInput(const RestoreInput&) = delete;
  RestoreInput& operator=(const RestoreInput&) = delete;

  void load() const { run({"iptables-nft-restore", "--noflush"}, path_); }

 private:
  std::string path_;
};

void remove_chain() {
  run({"iptables-nft", "-F", chain_name});
  run({"iptables-nft", "-X", chain_name});
}

// What iptables takes.

void restore_in_turn(benchmark::State& state, const std::vector<std::string>& texts) {
  const RestoreInput before("first", first());
  const RestoreInput after("other", texts);
  before.load();
  std::size_t turn = 0;
  for (auto _ : state) (++turn % 2 == 0 ? before : after).load();
  remove_chain();
}

void restore_one_changed(benchmark::State& state) { restore_in_turn(state, with_one_other()); }
void restore_all_changed(benchmark::State& state) { restore_in_turn(state, with_all_others()); }

void iptables_save(benchmark::State& state) {
  RestoreInput("first", first()).load();
  for (auto _ : state) run({"iptables-nft-save"});
  remove_chain();
}

void iptables_insert(benchmark::State& state) {
  RestoreInput("first", first()).load();
  const std::string place = std::to_string(middle);
  for (auto _ : state) {
    run({"iptables-nft", "-I", chain_name, place, "-s", "192.0.2.1", "-j", "ACCEPT"});
  }
  remove_chain();
}

// What plumbline takes.

void compile_cold(benchmark::State& state) {
  Site site;
  const auto written = desired_chain(first());
  for (auto _ : state) {
    firewall::IptablesCompiler compiler(site.scratch());
    auto desired = written;
    Diagnostics diagnostics;
    compiler.compile(desired, {}, diagnostics);
  }
}

void compile_cached(benchmark::State& state) {
  Site site;
  const auto written = desired_chain(first());
  firewall::IptablesCompiler compiler(site.scratch());
  Diagnostics diagnostics;
  auto desired = written;
  compiler.compile(desired, {}, diagnostics);
  for (auto _ : state) {
    desired = written;
    compiler.compile(desired, {}, diagnostics);
  }
}

void compile_one_changed(benchmark::State& state) {
  Site site;
  const std::array written{desired_chain(first()), desired_chain(with_one_other())};
  firewall::IptablesCompiler compiler(site.scratch());
  Diagnostics diagnostics;
  auto desired = written[0];
  compiler.compile(desired, {}, diagnostics);
  std::size_t turn = 0;
  for (auto _ : state) {
    desired = written[++turn % 2];
    compiler.compile(desired, {}, diagnostics);
  }
}

/// What a process does that is started anew and finds what the one before it left.
void compile_from_disk(benchmark::State& state) {
  Site site;
  const auto written = desired_chain(first());
  const auto cache = std::filesystem::temp_directory_path() / "plumbline-bench-compiled";
  const auto compile = [&] {
    firewall::IptablesCompiler compiler(site.scratch(), cache);
    auto desired = written;
    Diagnostics diagnostics;
    compiler.compile(desired, {}, diagnostics);
  };
  compile();
  for (auto _ : state) compile();
  std::filesystem::remove_all(cache);
}

/// What `run` does when it looks and the generation is as before.
void pass_nothing_to_do(benchmark::State& state) {
  Site site;
  const auto desired = desired_chain(first());
  site.make(desired);
  site.make(desired);
  for (auto _ : state) {
    if (site.make(desired) != engine::Result::unchanged) std::abort();
  }
}

void pass_in_turn(benchmark::State& state, const std::vector<std::string>& texts) {
  Site site;
  const std::array desired{desired_chain(first()), desired_chain(texts)};
  site.make(desired[0]);
  std::size_t turn = 0;
  for (auto _ : state) {
    if (site.make(desired[++turn % 2]) != engine::Result::applied) std::abort();
  }
}

void pass_one_changed(benchmark::State& state) { pass_in_turn(state, with_one_other()); }
void pass_all_changed(benchmark::State& state) { pass_in_turn(state, with_all_others()); }

/// The way from one compiled state to another that was observed: what the kernel is told.
void commit_in_turn(benchmark::State& state, const std::vector<std::string>& texts) {
  Site site;
  const std::array desired{desired_chain(first()), desired_chain(texts)};
  site.make(desired[0]);
  std::size_t turn = 0;
  for (auto _ : state) {
    const auto prepared = site.prepare(desired[++turn % 2]);
    const auto start = std::chrono::steady_clock::now();
    const auto report =
        engine::apply(site.host(), site.ruleset(), prepared.plan, {prepared.have.links, {}, true});
    state.SetIterationTime(Seconds(std::chrono::steady_clock::now() - start).count());
    if (report.failed || report.steps.empty()) std::abort();
  }
}

void commit_one_changed(benchmark::State& state) { commit_in_turn(state, with_one_other()); }
void commit_all_changed(benchmark::State& state) { commit_in_turn(state, with_all_others()); }

// All times are those of a clock, as iptables is another process.
BENCHMARK(restore_one_changed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(restore_all_changed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(iptables_save)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(iptables_insert)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(compile_cold)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(compile_cached)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(compile_one_changed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(20);
BENCHMARK(compile_from_disk)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(pass_nothing_to_do)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(pass_one_changed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(pass_all_changed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);
BENCHMARK(commit_one_changed)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(10);
BENCHMARK(commit_all_changed)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(10);

/// Remembers the times, to put them beside each other at the end.
class Reporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) times_[run.run_name.function_name] = run.GetAdjustedRealTime();
  }

  void compare() const {
    std::puts("");
    ratio("restore_one_changed", "pass_one_changed", "");
    ratio("restore_one_changed", "commit_one_changed", "wanted: 20");
    ratio("iptables_insert", "commit_one_changed", "");
    ratio("restore_all_changed", "pass_all_changed", "");
    ratio("restore_all_changed", "commit_all_changed", "wanted: 1.5");
    ratio("iptables_save", "pass_nothing_to_do", "wanted of the pass: under 1 ms");
  }

 private:
  void ratio(const std::string& theirs, const std::string& ours, const char* wanted) const {
    if (!times_.contains(theirs) || !times_.contains(ours)) return;
    std::printf("%-20s / %-20s %8.1f  %s\n", theirs.c_str(), ours.c_str(),
                times_.at(theirs) / times_.at(ours), wanted);
  }

  std::map<std::string, double> times_;
};

}  // namespace
}  // namespace plumbline

int main(int argc, char** argv) {
  if (unshare(CLONE_NEWNET) != 0) {
    std::perror("a network namespace");
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  plumbline::Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.compare();
  return 0;
}
