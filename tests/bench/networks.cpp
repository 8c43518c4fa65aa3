// What a host of many guests costs, each figure beside the least messages that do the same.
//
// Runs in a network namespace of its own. docs/testing.md has figures and the command.

#include <benchmark/benchmark.h>
#include <sched.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "plumbline/engine/pass.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/io/files.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/scratch_host.hpp"
#include "tests/bench/raw_taps.hpp"

namespace plumbline::bench {
namespace {

/// `guests` on each of `bridges` networks.
struct Size {
  int bridges = 1;
  int guests = 1000;
};

Size size_of(const benchmark::State& state) {
  return {static_cast<int>(state.range(0)), static_cast<int>(state.range(1))};
}

std::string spec_text(const Size& size, bool anti_spoofing = true) {
  std::string text = R"({"version": 1, "networks": {)";
  for (int bridge = 0; bridge < size.bridges; ++bridge) {
    if (bridge > 0) text += ',';
    text += "\"net" + std::to_string(bridge) + R"(": {"uplink": "up0", "subnet": "10.)" +
            std::to_string(bridge) + R"(.0.0/20", "antiSpoofing": )" +
            (anti_spoofing ? "true" : "false") + R"(, "vms": {)";
    for (int guest = 0; guest < size.guests; ++guest) {
      if (guest > 0) text += ',';
      text += "\"vm-" + std::to_string(guest) + "\": {}";
    }
    text += "}}";
  }
  return text + "}}";
}

/// Everything a pass works with; the directory goes with it.
class Site {
 public:
  Site() { std::filesystem::create_directories(directory_); }
  ~Site() { std::filesystem::remove_all(directory_); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  engine::Context context() { return {host_, compiler_, ruleset_, directory_, options_, false}; }

  [[nodiscard]] spec::Desired read(const std::string& text) const {
    const std::filesystem::path path = directory_ / "spec.json";
    std::ofstream(path) << text;
    io::Files files;
    Diagnostics diagnostics;
    spec::Desired desired = engine::read_spec({path}, files, options_.mark, diagnostics);
    for (const Diagnostic& error : diagnostics.errors) std::puts(format(error).c_str());
    if (!diagnostics.ok()) std::abort();
    return desired;
  }
  [[nodiscard]] spec::Desired read(const Size& size) const { return read(spec_text(size)); }

  [[nodiscard]] engine::Prepared prepare(const spec::Desired& desired) {
    engine::Prepared prepared = engine::prepare(context(), desired);
    for (const Diagnostic& error : prepared.errors) std::puts(format(error).c_str());
    for (const Diagnostic& error : prepared.plan.refusals) std::puts(format(error).c_str());
    if (!prepared.errors.empty() || !prepared.plan.refusals.empty()) std::abort();
    return prepared;
  }

  void make(const spec::Desired& desired) {
    const engine::Prepared prepared = prepare(desired);
    if (prepared.plan.empty()) return;
    const engine::Outcome outcome = engine::carry_out(context(), prepared);
    for (const engine::StepReport& step : outcome.report.steps) {
      if (step.error != 0) std::puts(step.message.c_str());
    }
    if (outcome.result != engine::Result::applied || !outcome.unsettled.empty()) std::abort();
  }
  void clear() { make(read(R"({"version": 1})")); }

 private:
  io::KernelHost host_;
  io::ScratchHost scratch_{io::Backend::automatic};
  firewall::IptablesCompiler compiler_{scratch_};
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / "plumbline-bench-networks";
  plan::Options options_{Mark{}, false, true};
};

// ---- the least that it takes --------------------------------------------------------------------

void taps_made_raw(benchmark::State& state) {
  const Size size = size_of(state);
  RawTaps taps;
  for (auto _ : state) {
    taps.make(size.bridges, size.guests);
    state.PauseTiming();
    taps.remove(size.bridges, size.guests);
    state.ResumeTiming();
  }
}

void taps_removed_raw(benchmark::State& state) {
  const Size size = size_of(state);
  RawTaps taps;
  for (auto _ : state) {
    state.PauseTiming();
    taps.make(size.bridges, size.guests);
    state.ResumeTiming();
    taps.remove(size.bridges, size.guests);
  }
}

void dumps_raw(benchmark::State& state) {
  const Size size = size_of(state);
  Site site;
  site.make(site.read(size));
  RawTaps taps;
  for (auto _ : state) taps.dump();
  site.clear();
}

// ---- plumbline ----------------------------------------------------------------------------------

void apply(benchmark::State& state) {
  Site site;
  const spec::Desired desired = site.read(size_of(state));
  for (auto _ : state) {
    site.make(desired);
    state.PauseTiming();
    site.clear();
    state.ResumeTiming();
  }
}

void nothing_to_do(benchmark::State& state) {
  Site site;
  const spec::Desired desired = site.read(size_of(state));
  site.make(desired);
  for (auto _ : state) {
    if (!site.prepare(desired).plan.empty()) std::abort();
  }
  site.clear();
}

/// Nothing is observed: what planning costs.
void plan_of_all(benchmark::State& state) {
  Site site;
  const spec::Desired desired = site.read(size_of(state));
  const engine::Prepared prepared = site.prepare(desired);
  for (auto _ : state) {
    benchmark::DoNotOptimize(plan::make_plan(prepared.have.state, prepared.desired.state, {},
                                             prepared.desired.origins, site.context().options));
  }
}

void read_spec(benchmark::State& state) {
  Site site;
  for (auto _ : state) benchmark::DoNotOptimize(site.read(size_of(state)));
}

void one_more_guest(benchmark::State& state) {
  Site site;
  const Size size = size_of(state);
  const spec::Desired fewer = site.read(Size{size.bridges, size.guests - 1});
  const spec::Desired all = site.read(size);
  site.make(fewer);
  for (auto _ : state) {
    site.make(all);
    state.PauseTiming();
    site.make(fewer);
    state.ResumeTiming();
  }
  site.clear();
}

void removal(benchmark::State& state) {
  Site site;
  const spec::Desired desired = site.read(size_of(state));
  const spec::Desired nothing = site.read(R"({"version": 1})");
  for (auto _ : state) {
    state.PauseTiming();
    site.make(desired);
    state.ResumeTiming();
    site.make(nothing);
  }
}

/// From the guest whose number is the second argument, of as many as the first says, to another.
void one_frame(benchmark::State& state) {
  const auto guests = static_cast<int>(state.range(0));
  const auto sender = static_cast<std::size_t>(state.range(1));
  Site site;
  const spec::Desired desired = site.read(spec_text(Size{1, guests}, state.range(2) != 0));
  site.make(desired);
  {
    const auto& interfaces = desired.assigned.front().interfaces;
    GuestPort receiver(interfaces.at(1));
    GuestPort port(interfaces.at(sender));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until the ports forward
    receiver.send_to(interfaces.at(sender));
    for (auto _ : state) port.send_to(interfaces.at(1));
  }
  site.clear();
}

/// From a guest out by the uplink.
void one_frame_routed(benchmark::State& state) {
  const auto guests = static_cast<int>(state.range(0));
  Site site;
  const spec::Desired desired = site.read(spec_text(Size{1, guests}, state.range(1) != 0));
  site.make(desired);
  {
    const spec::AssignedNetwork& network = desired.assigned.front();
    GuestPort port(network.interfaces.front());
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until the port forwards
    const Mac gateway = spec::bridge_mac(network.network);
    const std::uint64_t before = forwarded();
    for (auto _ : state) port.send(gateway, beyond_uplink());
    const auto sent = static_cast<std::uint64_t>(state.iterations());
    if (forwarded() - before < sent) std::abort();
  }
  site.clear();
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({1, 1000})->Args({4, 1000})->ArgNames({"bridges", "guests"});
  bench->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(taps_made_raw)->Apply(sizes)->Iterations(3);
BENCHMARK(apply)->Apply(sizes)->Iterations(3);
BENCHMARK(taps_removed_raw)->Apply(sizes)->Iterations(3);
BENCHMARK(removal)->Apply(sizes)->Iterations(3);
BENCHMARK(dumps_raw)->Apply(sizes)->Iterations(10);
BENCHMARK(nothing_to_do)->Apply(sizes)->Iterations(10);
BENCHMARK(one_more_guest)->Apply(sizes)->Iterations(5);
BENCHMARK(read_spec)->Apply(sizes);
BENCHMARK(plan_of_all)->Apply(sizes);
BENCHMARK(one_frame)
    ->Args({1000, 0, 0})
    ->Args({16, 0, 1})
    ->Args({1000, 0, 1})
    ->Args({1000, 999, 1})
    ->ArgNames({"guests", "sender", "guarded"})
    ->Iterations(100'000);
BENCHMARK(one_frame_routed)
    ->Args({1000, 0})
    ->Args({1000, 1})
    ->ArgNames({"guests", "guarded"})
    ->Iterations(100'000);

}  // namespace
}  // namespace plumbline::bench

int main(int argc, char** argv) {
  if (unshare(CLONE_NEWNET) != 0) {
    std::perror("a network namespace");
    return 1;
  }
  plumbline::bench::make_uplink();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
