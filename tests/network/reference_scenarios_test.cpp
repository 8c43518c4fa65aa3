// What the reference implementation made of a host, as it was recorded, is what plumbline makes of
// it in effect: addresses, TAPs, what guests may do, NAT, routing. Where the ledger of
// docs/vm-networks.md wants something else, the scenario is listed with the row that says so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "plumbline/spec/assignments.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/site.hpp"
#include "tests/support/tables.hpp"

namespace plumbline::test {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const fs::path scenarios = fs::path(PLUMBLINE_SOURCE_DIR) / "../shared/reference/scenarios";

std::string text_of(const json::value& value) { return std::string(value.as_string()); }

/// Scenarios that end otherwise here, each for a reason.
const std::map<std::string, std::string>& overruled() {
  static const std::map<std::string, std::string> reasons{
      {"bridge-gone-behind", "what is gone is made again: promise 8"},
      {"bridge-name-colon", "W47: refused when it is read"},
      {"bridge-preexisting-good", "W33: a bridge of another's is a conflict, to be adopted"},
      {"chain-flushed-behind", "W20: what is flushed comes back"},
      {"chain-preexisting", "W36: another's chain is left alone"},
      {"default-route-blackhole", "no default route is a warning"},
      {"duplicate-forward-jump", "W20: there is one jump, of a chain of ours"},
      {"fw-comment-multibyte", "W48: refused when it is read"},
      {"fw-comment-newline", "W48: refused when it is read"},
      {"fw-to-prefix-float", "W46: refused when it is read"},
      {"fw-to-prefix-hex", "W46: refused when it is read"},
      {"ip-lost-on-failure", "W41: an address is not lost"},
      {"rerun-fresh-instance", "W28: its own TAPs are taken up again"},
      {"rerun-fresh-instance-wg-existing", "W29: what an earlier run made is ours"},
      {"rerun-routetable-253", "W24: rules are found exactly"},
      {"restart-default-route-moved", "W31: no NAT is left behind"},
      {"restart-no-memory", "W29: what an earlier run made is ours"},
      {"same-instance-default-route-moved", "W41: addresses are free again"},
      {"same-instance-twice", "W41: addresses are free again"},
      {"tap-empty-ids", "an id is 1 to 63 characters"},
      {"tap-name-collision", "W39: another name where it is taken"},
      {"tap-name-colon", "an id has no colon"},
      {"tap-name-invalid", "an id has no white space or slash"},
      {"tap-name-truncation", "W39: another name where it is taken"},
      {"two-managers-same-bridge", "W35: the second does not destroy"},
      {"two-managers-tap-stolen", "W39: another name where it is taken"},
      {"wg-existing-down", "a tunnel that is down is waited for"},
      {"wg-existing-merged", "W1: works on a fresh host"},
      {"wg-existing-missing", "a tunnel that is missing is waited for"},
      {"wg-managed-merged", "W1: works on a fresh host"},
      {"wg-route-conflict", "refused: tested in tests/network/ledger_tunnel_test.cpp"},
      {"wg-route-conflict-managed", "refused: tested in tests/network/ledger_tunnel_test.cpp"},
      {"wg-route-unreachable", "W15: no conflict"},
  };
  return reasons;
}

/// A class of the recording and the network it looks after.
struct Manager {
  std::string bridge = "svbr0";
  json::object entry;

  explicit Manager(json::object options) {
    if (const auto* name = options.if_contains("bridgeName")) bridge = text_of(*name);
    options.erase("bridgeName");
    options["vms"] = json::object();
    entry = std::move(options);
  }
  void add(const std::string& vm, const std::string& interface) {
    json::object& vms = entry["vms"].as_object();
    if (!vms.contains(vm)) vms[vm] = {{"interfaces", json::object()}};
    vms[vm].at("interfaces").as_object()[interface] = json::object();
  }
  [[nodiscard]] std::string spec() const {
    return json::serialize(json::object{{"version", 1}, {"networks", {{bridge, entry}}}});
  }
};

// ---- what is compared ---------------------------------------------------------------------------

std::string without_comment(const std::string& rule) {
  static const std::regex comment(R"re( -m comment --comment ("(\\.|[^"\\])*"|[^" ]+))re");
  return std::regex_replace(rule, comment, "");
}

/// A rule for each port, as the recording has them.
Lines by_port(const std::string& rule) {
  static const std::regex ports(R"(-p (tcp|udp) -m multiport --dports ([0-9,:]+))");
  std::smatch match;
  if (!std::regex_search(rule, match, ports)) return {rule};
  Lines rules;
  std::istringstream list(match[2]);
  for (std::string port; std::getline(list, port, ',');) {
    const std::string protocol = match[1];
    rules.push_back(match.prefix().str() + "-p " + protocol + " -m " + protocol + " --dport " +
                    port + match.suffix().str());
  }
  return rules;
}

/// What a guest may do, one rule a line, each once: what replies, and where the tunnel is, is
/// compared elsewhere.
Lines policy(const Lines& rules) {
  Lines policy;
  for (const std::string& rule : rules) {
    const bool is_mark = rule == "-m comment --comment plumbline";
    const bool is_other = rule.find("--ctstate") != rule.npos || rule.starts_with("! -o ");
    if (is_mark || is_other) continue;
    for (std::string& each : by_port(rule)) {
      if (std::ranges::find(policy, each) == policy.end()) policy.push_back(std::move(each));
    }
  }
  return policy;
}

struct Effect {
  std::set<std::string> addresses;  ///< of the bridge
  std::set<std::string> taps;       ///< and the bridge they are ports of
  Lines policy;                     ///< of egress
  bool fail_closed = false;
  bool nat = false;
  std::set<std::string> default_links;  ///< of the default routes, table by table
  std::set<std::string> lookups;        ///< tables that guests are led to

  bool operator==(const Effect&) const = default;
};

void PrintTo(const Effect& effect, std::ostream* out) {
  const auto list = [&](const char* name, const auto& values) {
    *out << name << ":";
    for (const auto& value : values) *out << " [" << value << "]";
    *out << "\n";
  };
  list("addresses", effect.addresses);
  list("TAPs", effect.taps);
  list("policy", effect.policy);
  *out << "fail closed " << effect.fail_closed << ", NAT " << effect.nat << "\n";
  list("default", effect.default_links);
  list("lookups", effect.lookups);
}

std::string member(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value == nullptr ? "" : text_of(*value);
}

/// Of the interfaces and routes as `ip -json` prints them, recorded or not.
void add_links(const json::array& links, const std::string& bridge, Effect& effect) {
  for (const json::value& each : links) {
    const json::object& link = each.as_object();
    const bool is_tap = member(link, "kind") == "tun";
    if (is_tap && member(link, "master") == bridge) effect.taps.insert(member(link, "ifname"));
  }
}

void add_default(const std::string& table, const std::string& dev, Effect& effect) {
  if (!dev.empty()) effect.default_links.insert((table.empty() ? "main" : table) + " " + dev);
}

Effect recorded(const json::object& state, const std::string& bridge) {
  Effect effect;
  add_links(state.at("links").as_array(), bridge, effect);
  for (const json::value& each : state.at("addrs").as_array()) {
    const json::object& address = each.as_object();
    if (member(address, "dev") != bridge || member(address, "family") != "inet") continue;
    effect.addresses.insert(member(address, "local") + "/" +
                            std::to_string(address.at("prefixlen").as_int64()));
  }
  for (const json::value& each : state.at("routes").as_array()) {
    const json::object& route = each.as_object();
    if (member(route, "dst") == "default") {
      add_default(member(route, "table"), member(route, "dev"), effect);
    }
  }
  for (const json::value& each : state.at("rules4").as_array()) {
    const json::object& rule = each.as_object();
    if (member(rule, "src") != "all") effect.lookups.insert(member(rule, "table"));
  }
  Lines rules;
  const auto& iptables = state.at("iptables").as_object();
  const auto each_rule = [&](const char* table, const auto& visit) {
    const auto* found = iptables.if_contains(table);
    if (found == nullptr) return;
    for (const json::value& line : found->as_array()) visit(text_of(line));
  };
  each_rule("filter", [&](const std::string& line) {
    static const std::regex own("-A SVMEG-[0-9a-f]+ (.*)");
    std::smatch match;
    if (!std::regex_match(line, match, own)) return;
    rules.push_back(without_comment(match[1]));
    effect.fail_closed = effect.fail_closed || match[1].str().starts_with("! -o ");
  });
  each_rule("nat", [&](const std::string& line) {
    effect.nat = effect.nat ||
                 (line.starts_with("-A POSTROUTING -s ") && line.find("MASQUERADE") != line.npos &&
                  line.find("10.9.9.0/24") == line.npos);
  });
  effect.policy = policy(rules);
  if (effect.policy.empty() && !effect.taps.empty()) effect.policy = {"-j ACCEPT"};
  return effect;
}

Effect observed(const std::string& bridge, const std::string& chain) {
  Effect effect;
  const auto json_of = [](const std::string& arguments) {
    return json::parse(ip("-json " + arguments)).as_array();
  };
  json::array links;
  for (const json::value& each : json_of("-details link show")) {
    json::object link = each.as_object();
    if (const auto* details = link.if_contains("linkinfo")) {
      link["kind"] = member(details->as_object(), "info_kind");
    }
    links.push_back(std::move(link));
  }
  add_links(links, bridge, effect);
  for (const json::value& each : json_of("-4 address show")) {
    const json::object& link = each.as_object();
    if (member(link, "ifname") != bridge) continue;
    for (const json::value& address : link.at("addr_info").as_array()) {
      effect.addresses.insert(member(address.as_object(), "local") + "/" +
                              std::to_string(address.at("prefixlen").as_int64()));
    }
  }
  for (const json::value& each : json_of("-4 route show table all")) {
    const json::object& route = each.as_object();
    if (member(route, "dst") == "default") {
      add_default(member(route, "table"), member(route, "dev"), effect);
    }
  }
  for (const json::value& each : json_of("-4 rule show")) {
    const json::object& rule = each.as_object();
    const bool of_guests = member(rule, "iif") == bridge || member(rule, "src") != "all";
    if (of_guests && member(rule, "table") != "main") effect.lookups.insert(member(rule, "table"));
  }
  Lines rules;
  for (const std::string& rule : rules_of(must_run({"iptables-nft-save"}), chain + "-R")) {
    rules.push_back(without_comment(rule));
  }
  effect.policy = policy(rules);
  const Lines guard = rules_of(must_run({"iptables-nft-save", "-t", "mangle"}), chain);
  effect.fail_closed = std::ranges::find(guard, "-j DROP") != guard.end();
  for (const std::string& rule :
       rules_of(must_run({"iptables-nft-save", "-t", "nat"}), "POSTROUTING")) {
    effect.nat = effect.nat || rule.find("! -o " + bridge) != rule.npos;
  }
  return effect;
}

// ---- the scenarios ------------------------------------------------------------------------------

class ReferenceScenario : public NetnsTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    must_run({"sh", "-c", before_the_scenario});
  }

  void carry_out(const json::object& step) {
    const std::string op = text_of(step.at("op"));
    if (op == "new") return begin(step);
    if (op == "create") return create(step);
    if (op == "exec") return do_by_hand(step);
    if (op == "snapshot") return compare(step);
    if (op == "cleanup") return clean_up();
  }

  /// The far ends of its links are in the same namespace here.
  static void by_hand(std::string command) {
    for (const std::string_view other : {" netns $PEER", " -n $PEER"}) {
      const auto at = command.find(other);
      if (at != command.npos) command.erase(at, other.size());
    }
    must_run({"sh", "-c", command});
  }

  int compared = 0;

 private:
  static constexpr const char* before_the_scenario =
      "ip link set lo up && ip link add up0 type veth peer name peer0 && "
      "ip link set up0 address 02:00:00:00:00:02 && ip link set up0 up && ip link set peer0 up && "
      "ip addr add 192.0.2.2/24 dev up0 && ip route add default via 192.0.2.1";

  void begin(const json::object& step) {
    manager_.emplace(step.at("options").as_object());
    site_.emplace();
  }
  /// The recording says `eth0` of every interface (W44).
  void create(const json::object& step) {
    manager_->add(text_of(step.at("vmId")), text_of(step.at("ifaceId")));
    if (const auto* ok = step.if_contains("ok"); ok != nullptr && !ok->as_bool()) {
      EXPECT_THROW(static_cast<void>(site_->prepare(manager_->spec())), std::runtime_error);
      return;
    }
    const engine::Prepared prepared = site_->prepare(manager_->spec());
    EXPECT_EQ(site_->carry_out(prepared).result, engine::Result::applied) << shown(prepared);
    EXPECT_TRUE(site_->prepare(manager_->spec()).plan.empty());
    const json::object& tap = step.at("tap").as_object();
    for (const auto& network : prepared.desired.assigned) {
      chain_ = spec::chain_name(network.network.bridge, network.network.subnet);
      for (const auto& interface : network.interfaces) {
        const bool is_it = interface.vm == text_of(step.at("vmId")) &&
                           interface.interface == text_of(step.at("ifaceId"));
        if (!is_it) continue;
        ++compared;
        EXPECT_EQ(format(interface.tap), text_of(tap.at("tapName")));
        EXPECT_EQ(format(interface.ip), text_of(tap.at("guestIp")));
        EXPECT_EQ(format(interface.mac), text_of(tap.at("mac")));
        const std::string told = boot_args(spec::assignment_of(network, interface));
        const std::string there = text_of(step.at("bootArgs"));
        EXPECT_EQ(told.substr(0, told.rfind("::")), there.substr(0, there.rfind("::")));
      }
    }
  }
  static void do_by_hand(const json::object& step) { by_hand(text_of(step.at("cmd"))); }
  void compare(const json::object& step) {
    ++compared;
    EXPECT_EQ(observed(manager_->bridge, chain_),
              recorded(step.at("state").as_object(), manager_->bridge))
        << text_of(step.at("label"));
  }
  void clean_up() {
    site_->options.allow_empty = true;
    site_->apply(R"({"version": 1})");
    manager_->entry["vms"] = json::object();
  }

  std::optional<Manager> manager_;
  std::optional<Site> site_;
  std::string chain_;
};

TEST_P(ReferenceScenario, EndsAsRecorded) {
  if (GetParam() == "none") {
    GTEST_SKIP() << "the reference's recordings are not here: ../shared/reference";
  }
  std::ifstream file(scenarios / (GetParam() + ".json"));
  std::stringstream text;
  text << file.rdbuf();
  const json::value scenario = json::parse(text.str());
  if (const auto found = overruled().find(GetParam()); found != overruled().end()) {
    RecordProperty("overruled", found->second);
    return;
  }
  const bool managed = GetParam().starts_with("wg-managed");
  if (managed && run({"ip", "link", "add", "wgprobe", "type", "wireguard"}).status != 0) {
    GTEST_SKIP() << "this kernel has no wireguard";
  }
  for (const json::value& command : scenario.at("env").at("pre").as_array()) {
    by_hand(text_of(command));
  }
  for (const json::value& step : scenario.at("steps").as_array()) carry_out(step.as_object());
  EXPECT_GT(compared, 0);
}

Lines names() {
  Lines names;
  if (!fs::exists(scenarios)) return {"none"};
  for (const auto& entry : fs::directory_iterator(scenarios)) {
    const std::string name = entry.path().stem();
    names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Recorded, ReferenceScenario, ::testing::ValuesIn(names()),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace plumbline::test
