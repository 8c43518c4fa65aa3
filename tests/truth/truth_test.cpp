// The simulated kernel is held to the truth: the same random requests, one after the other, to a
// kernel's network namespace and to the model get the same answers and leave the same state.

#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/seen.hpp"
#include "tests/support/netns.hpp"
#include "tests/truth/random_requests.hpp"

namespace plumbline::sim {

namespace {

constexpr std::size_t requests_in_a_sequence = 8;
constexpr std::size_t sequences_in_a_namespace = 40;
constexpr std::size_t shards = 10;
/// Always the same in CI, where a difference that one sequence in ten thousand still finds would be
/// nobody's fault of the day. Whoever works on the model takes others.
constexpr std::size_t usual_seed = 6;
constexpr std::string_view modelled_release = "6.18.";

std::optional<Mac> mac_of(io::Host& host, const std::string& name) {
  wire::MessageBuilder message(RTM_GETLINK, 0);
  message.header(ifinfomsg{});
  const wire::Request request = wire::NetlinkDump{std::move(message).finish()};
  std::optional<Mac> mac;
  wire::for_each_message(host.exchange({&request, 1}).front().bytes, [&](const wire::Message& it) {
    std::optional<Mac> has;
    bool is_it = false;
    it.attributes<ifinfomsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == IFLA_ADDRESS) has = Mac::from_bytes(attribute.payload());
      if (attribute.type() == IFLA_IFNAME) is_it = attribute.string() == name;
    });
    if (is_it) mac = has;
  });
  return mac;
}

/// Which settings of `default` were written before, on the machine itself: in its new namespaces
/// that still keeps links from following them.
const std::map<std::string, bool>& settled_by_the_machine(io::Host& host) {
  static std::map<std::string, bool> settled;
  if (!settled.empty()) return settled;
  for (const char* name : {"rp_filter", "proxy_arp", "promote_secondaries", "arp_ignore"}) {
    const std::string path = std::string("net/ipv4/conf/default/") + name;
    const std::string of_lo = std::string("net/ipv4/conf/lo/") + name;
    const std::vector<wire::Request> tries{wire::SysctlRead{path}, wire::SysctlRead{of_lo},
                                           wire::SysctlWrite{path, "17"}, wire::SysctlRead{of_lo},
                                           wire::SysctlWrite{path, "0"}};
    const std::vector<wire::Reply> replies = host.exchange(tries);
    settled[name] = replies[3].text != "17";
  }
  return settled;
}

bool can_filter_vlans(io::Host& host) {
  wire::MessageBuilder message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.header(ifinfomsg{}).nest(IFLA_LINKINFO, [](wire::MessageBuilder& info) {
    info.string(IFLA_INFO_KIND, "bridge");
    info.nest(IFLA_INFO_DATA,
              [](wire::MessageBuilder& data) { data.u8(IFLA_BR_VLAN_FILTERING, 0); });
  });
  const wire::Request request = wire::NetlinkChange{std::move(message).finish()};
  return host.exchange({&request, 1}).front().error == 0;
}

/// The kernel is still at work on it when it has answered (addrconf_dad_work()).
bool adds_inet6_address(const wire::Request& request) {
  const auto* change = std::get_if<wire::NetlinkChange>(&request);
  if (change == nullptr) return false;
  const wire::Message message{std::span(change->message)};
  return message.type() == RTM_NEWADDR && message.fixed<ifaddrmsg>().ifa_family == AF_INET6;
}

/// A fresh namespace of the kernel's and a model of it, which get the same requests.
class Both {
 public:
  Both() : kernel_([this](const std::string& name) { return chosen(name); }), host_(kernel_) {
    static const bool filters_vlans = [] {
      EXPECT_EQ(test::enter_new_netns(), "");
      io::KernelHost probed(io::Backend::nft);
      settled_by_the_machine(probed);
      return can_filter_vlans(probed);
    }();
    EXPECT_EQ(test::enter_new_netns(), "");
    truth_.emplace(io::Backend::nft);
    const wire::Request question = wire::NetfilterQuery{firewall::generation_query()};
    possible_.nf_tables = truth_->exchange({&question, 1}).front().error == 0;
    possible_.vlan_filtering = filters_vlans;
    struct stat tun {};
    possible_.taps = stat("/dev/net/tun", &tun) == 0;
    take_settings();
  }

  /// Nothing when they agree.
  std::string send(const wire::Request& request) {
    if (!settled_) static_cast<void>(compare());
    settled_ = !adds_inet6_address(request);
    const wire::Reply real = truth_->exchange({&request, 1}).front();
    const wire::Reply modelled = host_.exchange({&request, 1}).front();
    if (real.error == modelled.error && real.message == modelled.message &&
        real.place == modelled.place) {
      return {};
    }
    return "the kernel answers " + shown(real) + ", the model " + shown(modelled);
  }

  /// IPv6 finishes an address in a thread of its own (addrconf_dad_work()): that is waited for.
  std::string compare(int patience = 300) {
    // Of a few links each time, as there are many settings.
    std::vector<std::string> links{"all", "default"};
    const std::size_t turn = ++comparisons_ % 4;
    for (const auto& [index, device] : kernel_.there().devices) {
      if (static_cast<std::size_t>(index) % 4 == turn) links.push_back(device.name);
    }
    const std::vector<std::string> modelled = seen(host_, links, possible_.nf_tables);
    std::string differs;
    for (int wait = 1; wait < patience; wait *= 2) {
      differs = difference(seen(*truth_, links, possible_.nf_tables), modelled);
      if (differs.empty()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    }
    return differs;
  }

  [[nodiscard]] const Namespace& there() const { return kernel_.there(); }
  [[nodiscard]] const Possible& possible() const { return possible_; }

 private:
  /// The kernel chooses at random; the model is told what it chose.
  Mac chosen(const std::string& name) {
    // Any, where the link is gone again: its making was refused.
    const Mac any = *Mac::parse("02:00:00:00:77:77");
    return truth_ ? mac_of(*truth_, name).value_or(any) : Mac();
  }

  void set(const std::string& path, const std::string& value) {
    const wire::Request request = wire::SysctlWrite{path, value};
    EXPECT_EQ(truth_->exchange({&request, 1}).front().error, 0) << path;
    EXPECT_EQ(host_.exchange({&request, 1}).front().error, 0) << path;
  }

  /// What a machine was set up with is in its new namespaces too.
  void take_settings() {
    set("net/ipv6/conf/all/accept_dad", "0");
    set("net/ipv6/conf/default/accept_dad", "0");
    set("net/ipv6/conf/default/addr_gen_mode", "1");
    kernel_.there().settled["ipv4/conf"] = settled_by_the_machine(*truth_);
    kernel_.there().devices.at(1).settled = kernel_.there().settled;
    for (auto& [path, value] : kernel_.there().settings) {
      const wire::Request request = wire::SysctlRead{path};
      const wire::Reply reply = truth_->exchange({&request, 1}).front();
      if (reply.error == 0) value = reply.text;
    }
    for (auto& [group, settings] : kernel_.there().devices.at(1).settings) {
      for (auto& [name, value] : settings) {
        const wire::Request request = wire::SysctlRead{"net/" + group + "/lo/" + name};
        const wire::Reply reply = truth_->exchange({&request, 1}).front();
        if (reply.error == 0) value = reply.text;
      }
    }
  }

  Kernel kernel_;
  Host host_;
  std::optional<io::KernelHost> truth_;
  Possible possible_;
  std::size_t comparisons_ = 0;
  bool settled_ = true;  ///< no address can still be on its way
};

/// What differs first of the answers or, after all requests, of the states.
std::string replay(const std::vector<wire::Request>& requests) {
  Both both;
  for (const wire::Request& request : requests) {
    std::string differs = both.send(request);
    if (!differs.empty()) return differs;
  }
  constexpr int little = 64;
  return both.compare(little);
}

/// Leaves out what is not needed for a difference: by halves first, then by less and less.
std::string shrunk(std::vector<wire::Request> requests) {
  std::string differs = replay(requests);
  if (differs.empty()) return "(it does not differ a second time)\n";
  for (std::size_t size = requests.size() / 2; size > 0; size /= 2) {
    for (std::size_t end = requests.size(); end > 0; end -= std::min(size, end)) {
      std::vector<wire::Request> fewer = requests;
      const auto last = fewer.begin() + static_cast<std::ptrdiff_t>(end);
      fewer.erase(last - static_cast<std::ptrdiff_t>(std::min(size, end)), last);
      const std::string still = replay(fewer);
      if (still.empty()) continue;
      requests = std::move(fewer);
      differs = still;
    }
  }
  std::string text;
  for (const wire::Request& request : requests) text += "  " + shown(request) + "\n";
  return text + differs;
}

class SimTruth : public test::NetnsTest, public testing::WithParamInterface<std::size_t> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    utsname names{};
    ASSERT_EQ(uname(&names), 0);
    if (!std::string_view(names.release).starts_with(modelled_release)) {
      GTEST_SKIP() << "the simulated kernel is Linux " << modelled_release << ", and this is "
                   << names.release;
    }
  }
};

/// PLUMBLINE_SIM_SEED and PLUMBLINE_SIM_SEQUENCES are for looking further.
std::size_t from_environment(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST_P(SimTruth, RandomRequestsAreAnsweredAsTheKernelAnswersThem) {
  const std::size_t count = from_environment("PLUMBLINE_SIM_SEQUENCES", 5000) / shards;
  const std::size_t seed = from_environment("PLUMBLINE_SIM_SEED", usual_seed);
  RecordProperty("seed", std::to_string(seed));
  std::printf("PLUMBLINE_SIM_SEED=%zu, shard %zu\n", seed, GetParam());
  for (std::size_t done = 0; done < count;) {
    Chance chance(seed + GetParam() * 1000003 + done * 7919);
    Both both;
    std::vector<wire::Request> sent;
    for (std::size_t in_namespace = 0; in_namespace < sequences_in_a_namespace && done < count;
         ++in_namespace, ++done) {
      std::string differs;
      for (std::size_t i = 0; i < requests_in_a_sequence && differs.empty(); ++i) {
        sent.push_back(random_request(both.there(), chance, both.possible()));
        differs = both.send(sent.back());
      }
      if (differs.empty()) differs = both.compare();
      if (differs.empty()) continue;
      FAIL() << "after sequence " << done << ": " << differs << "\nshrunk:\n" << shrunk(sent);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shard, SimTruth, testing::Range<std::size_t>(0, shards));

}  // namespace

}  // namespace plumbline::sim
