// What a pass costs, each figure beside the least that the kernel lets anybody do it for.
//
// Runs in a network namespace of its own. docs/testing.md has figures and the command.

#include <benchmark/benchmark.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "plumbline/engine/pass.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "plumbline/io/scratch_host.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline {
namespace {

constexpr std::uint32_t count = 10'000;

Route route_number(std::uint32_t number) {
  const std::array<std::byte, 4> bytes{std::byte{10}, std::byte(number >> 16U & 0xffU),
                                       std::byte(number >> 8U & 0xffU), std::byte(number & 0xffU)};
  Route route;
  route.table = TableId{500};
  route.to = Prefix::masking(*IpAddress::from_bytes(bytes), 32);
  route.type = RouteType::blackhole;
  return route;
}

spec::Desired desired_routes(std::uint32_t how_many) {
  spec::Spec spec;
  for (std::uint32_t i = 0; i < how_many; ++i) spec.state.of<Route>().push_back(route_number(i));
  spec.state.sort();
  return spec::expand(std::move(spec), Mark{});
}

/// Everything a pass works with; the directory goes with it.
class Site {
 public:
  Site() { std::filesystem::create_directories(directory_); }
  ~Site() { std::filesystem::remove_all(directory_); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  engine::Context context() { return {host_, compiler_, ruleset_, directory_, options_, false}; }

  void make(spec::Desired desired) {
    const auto prepared = engine::prepare(context(), std::move(desired));
    if (!prepared.plan.refusals.empty()) throw std::runtime_error("refused");
    if (prepared.plan.empty()) return;
    if (engine::carry_out(context(), prepared).result != engine::Result::applied) {
      throw std::runtime_error("not applied");
    }
  }

 private:
  io::KernelHost host_;
  io::ScratchHost scratch_{io::Backend::automatic};
  firewall::IptablesCompiler compiler_{scratch_};
  firewall::Ruleset ruleset_;
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / "plumbline-bench-ledger";
  plan::Options options_{Mark{}, false, true};
};

using MnlSocket = std::unique_ptr<mnl_socket, decltype(&mnl_socket_close)>;

MnlSocket open_socket() {
  MnlSocket socket(mnl_socket_open(NETLINK_ROUTE), &mnl_socket_close);
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0) std::abort();
  return socket;
}

/// The least a dump of all routes costs: the bytes are received and not looked at.
void raw_dump(mnl_socket* socket, std::uint16_t type, unsigned char family) {
  rtgenmsg generic{family};
  wire::MessageBuilder builder(type, NLM_F_DUMP);
  builder.header(generic);
  const auto request = std::move(builder).finish();
  if (mnl_socket_sendto(socket, request.data(), request.size()) < 0) std::abort();
  static std::array<char, 1U << 16U> buffer;
  while (true) {
    const auto size = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (size <= 0) std::abort();
    if (mnl_cb_run(buffer.data(), static_cast<std::size_t>(size), 0, 0, nullptr, nullptr) <= 0) {
      return;
    }
  }
}

void dump_of_ten_thousand_routes_raw(benchmark::State& state) {
  Site site;
  site.make(desired_routes(count));
  const auto socket = open_socket();
  for (auto _ : state) raw_dump(socket.get(), RTM_GETROUTE, AF_UNSPEC);
  site.make({});
}

void plan_of_nothing_to_do_with_ten_thousand_routes(benchmark::State& state) {
  Site site;
  const auto desired = desired_routes(count);
  site.make(desired);
  for (auto _ : state) {
    const auto prepared = engine::prepare(site.context(), desired);
    if (!prepared.plan.empty()) std::abort();
  }
  site.make({});
}

/// The least that adding the routes costs: one message each, in batches as large as a socket takes,
/// with one ack per batch.
void ten_thousand_routes_raw(benchmark::State& state) {
  Site site;
  const auto socket = open_socket();
  std::vector<wire::Bytes> batches(1);
  for (std::uint32_t i = 0; i < count; ++i) {
    Route route = with_mark(route_number(i), Mark{});
    const auto requests = create(route, LinkNames());
    auto message = std::get<wire::NetlinkChange>(requests.front()).message;
    message.resize((message.size() + 3U) & ~std::size_t{3U});
    const bool full = batches.back().size() + message.size() > 32'000;
    if (full || i + 1 == count) {
      const std::uint16_t flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
      std::memcpy(message.data() + offsetof(nlmsghdr, nlmsg_flags), &flags, sizeof flags);
    }
    batches.back().insert(batches.back().end(), message.begin(), message.end());
    if (full) batches.emplace_back();
  }
  for (auto _ : state) {
    for (const auto& batch : batches) {
      if (batch.empty()) continue;
      if (mnl_socket_sendto(socket.get(), batch.data(), batch.size()) < 0) std::abort();
      std::array<char, 4096> buffer;
      const auto size = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
      if (size <= 0 ||
          mnl_cb_run(buffer.data(), static_cast<std::size_t>(size), 0, 0, nullptr, nullptr) < 0) {
        std::abort();
      }
    }
    state.PauseTiming();
    site.make({});
    state.ResumeTiming();
  }
}

void apply_of_ten_thousand_routes(benchmark::State& state) {
  Site site;
  const auto desired = desired_routes(count);
  for (auto _ : state) {
    site.make(desired);
    state.PauseTiming();
    site.make({});
    state.ResumeTiming();
  }
}

void make_plan_with_nothing_to_do(benchmark::State& state) {
  const auto desired = desired_routes(2 * count);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        plan::make_plan(desired.state, desired.state, {}, desired.origins, {}));
  }
}

void make_plan_of_twenty_thousand_new_routes(benchmark::State& state) {
  const auto desired = desired_routes(2 * count);
  for (auto _ : state) {
    benchmark::DoNotOptimize(plan::make_plan({}, desired.state, {}, desired.origins, {}));
  }
}

BENCHMARK(dump_of_ten_thousand_routes_raw)->Unit(benchmark::kMillisecond);
BENCHMARK(plan_of_nothing_to_do_with_ten_thousand_routes)->Unit(benchmark::kMillisecond);
BENCHMARK(ten_thousand_routes_raw)->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(apply_of_ten_thousand_routes)->Unit(benchmark::kMillisecond)->Iterations(5);
BENCHMARK(make_plan_with_nothing_to_do)->Unit(benchmark::kMillisecond);
BENCHMARK(make_plan_of_twenty_thousand_new_routes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace plumbline

int main(int argc, char** argv) {
  if (unshare(CLONE_NEWNET) != 0) {
    std::perror("a network namespace");
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
