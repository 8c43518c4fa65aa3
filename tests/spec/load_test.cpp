#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(LoadSpec, TakesASpecThatWantsNothing) {
  const auto loaded = load_files({{"a.json", "{\"version\": 1}"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_TRUE(loaded.spec.state.empty());
}

TEST(LoadSpec, KnowsWhereEachObjectIs) {
  const auto loaded =
      load_members(R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/24"]}},
"routes": [{"to": "10.9.0.0/16", "type": "blackhole"}],
"rules": [{"priority": 1000, "from": "10.0.0.0/8", "table": 100}],
"sysctls": {"net.ipv4.ip_forward": 1},
"iptables": {"filter": {
"chains": {"APP": {"rules": [
  "-j ACCEPT",
  {"target": "DROP"}]}},
"shared": {"FORWARD": {
  "append": ["-i a -j ACCEPT"],
  "insert": ["-i b -j ACCEPT"]}}}})");
  EXPECT_THAT(loaded.errors, IsEmpty());
  std::map<std::string, std::string> origins;
  for (const auto& [key, origin] : loaded.spec.origins) origins[format(key)] = format(origin);
  EXPECT_EQ(origins, (std::map<std::string, std::string>{
                         {"link br0", "a.json:2:18"},
                         {"address br0 10.0.0.1/24", "a.json:2:51"},
                         {"route inet main 10.9.0.0/16", "a.json:3:12"},
                         {"rule inet 1000 from 10.0.0.0/8 table 100", "a.json:4:11"},
                         {"sysctl net.ipv4.ip_forward", "a.json:5:36"},
                         {"chain inet filter APP", "a.json:7:19"},
                         {"shared inet filter FORWARD", "a.json:10:23"},
                     }));
  const Key chain = Chain::Key{Family::inet, "filter", "APP"};
  const auto& rules = loaded.spec.rule_origins.at(chain);
  ASSERT_THAT(rules, SizeIs(2));
  EXPECT_EQ(format(rules[0]), "a.json:8:3");
  EXPECT_EQ(format(rules[1]), "a.json:9:3");
  const Key shared = SharedChain::Key{Family::inet, "filter", "FORWARD"};
  const auto& ours = loaded.spec.rule_origins.at(shared);
  ASSERT_THAT(ours, SizeIs(2));
  EXPECT_EQ(format(ours[0]), "a.json:12:14") << "insert rules come first";
  EXPECT_EQ(format(ours[1]), "a.json:11:14");
}

TEST(LoadSpec, ReportsAllFaultsTogetherInTheOrderOfTheFiles) {
  const auto loaded = load_files({
      {"a.json",
       "{\"version\": 1,\n\"routes\": [{}],\n\"links\": {\"x y\": {\"kind\": \"tap\"}},\n"
       "\"sysctls\": 5, \"a\": 1, \"a\": 2}"},
      {"b.json", "{\"version\": 1,\n\"route\": []}"},
      {"c.json", "{\"version\": 1,\n\"links\": "},
      {"d.yaml", "version: 1"},
  });
  std::vector<std::string> heads;
  for (const auto& error : loaded.diagnostics) {
    heads.push_back(format(error.origin) + " " + std::string(format(error.code)));
  }
  EXPECT_THAT(heads, ElementsAre("a.json:2:12 MISSING_KEY", "a.json:2:12 INVALID_ROUTE",
                                 "a.json:3:18 INVALID_INTERFACE_NAME", "a.json:4:12 WRONG_TYPE",
                                 "a.json:4:15 UNKNOWN_KEY", "a.json:4:23 DUPLICATE_KEY",
                                 "b.json:2:1 UNKNOWN_KEY", "c.json:2:10 SYNTAX_ERROR",
                                 "d.yaml:1:1 UNSUPPORTED_FORMAT"));
}

TEST(LoadSpec, DoesNotCallMissingWhatMayBeInAFileWithASyntaxError) {
  const std::string half = R"({"version": 1, "links": {"tap0": {"up": true}}})";
  EXPECT_THAT(load_files({{"a.json", half}}).errors, ElementsAre(HasSubstr("MISSING_KEY")));
  EXPECT_THAT(load_files({{"a.json", half}, {"b.json", "{"}}).errors,
              ElementsAre(HasSubstr("SYNTAX_ERROR")));
}

struct Version {
  const char* document;
  const char* error;
};

void PrintTo(const Version& version, std::ostream* out) { *out << version.document; }

class Versions : public ::testing::TestWithParam<Version> {};

TEST_P(Versions, OtherThanOneAreUnsupported) {
  const auto loaded = load_files({{"a.json", GetParam().document}});
  EXPECT_THAT(loaded.errors, ElementsAre(HasSubstr(GetParam().error)));
}

INSTANTIATE_TEST_SUITE_P(
    LoadSpec, Versions,
    ::testing::Values(Version{"{}", "a.json:1:1: UNSUPPORTED_VERSION"},
                      Version{R"({"version": 2})", "a.json:1:13: UNSUPPORTED_VERSION"},
                      Version{R"({"version": 0})", "UNSUPPORTED_VERSION"},
                      Version{R"({"version": 1.0})", "UNSUPPORTED_VERSION"},
                      Version{R"({"version": "1"})", "UNSUPPORTED_VERSION"},
                      Version{R"({"version": null})", "UNSUPPORTED_VERSION"},
                      Version{R"({"version": 1e400})", "UNSUPPORTED_VERSION"},
                      Version{R"({"version": 2, "futureKey": {}})", "UNSUPPORTED_VERSION"}));

TEST(LoadSpec, WantsTheVersionInEveryFile) {
  const auto loaded =
      load_files({{"a.json", R"({"version": 1})"}, {"b.json", R"({"routes": []})"}});
  EXPECT_THAT(loaded.errors, ElementsAre(HasSubstr("b.json:1:1: UNSUPPORTED_VERSION")));
}

struct Fault {
  const char* members;
  std::vector<std::string> errors;  ///< a part of each, in order
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.members; }

class Faults : public ::testing::TestWithParam<Fault> {};

TEST_P(Faults, AreFoundAtTheirPlace) {
  const auto loaded = load_members(GetParam().members);
  ASSERT_EQ(loaded.errors.size(), GetParam().errors.size())
      << ::testing::PrintToString(loaded.errors);
  for (std::size_t i = 0; i < loaded.errors.size(); ++i) {
    EXPECT_THAT(loaded.errors[i], HasSubstr(GetParam().errors[i]));
  }
}

const Fault strictness[] = {
    // the document
    {R"("link": {})",
     {"a.json:2:1: UNKNOWN_KEY: unknown key 'link'; did you mean 'links'? (at /link)"}},
    {R"("links": {}, "links": {})",
     {"a.json:2:14: DUPLICATE_KEY: 'links' is already given at a.json:2:1"}},
    {R"("links": [])", {"a.json:2:10: WRONG_TYPE: expected an object, not an array (at /links)"}},
    {R"("links": null)", {"a.json:2:10: WRONG_TYPE"}},
    {R"("routes": {})", {"a.json:2:11: WRONG_TYPE: expected an array, not an object (at /routes)"}},
    {R"("rules": "all")", {"a.json:2:10: WRONG_TYPE"}},
    {R"("sysctls": [])", {"a.json:2:12: WRONG_TYPE"}},
    {R"("iptables": [])", {"a.json:2:13: WRONG_TYPE"}},
    {R"("routes": [[]])", {"a.json:2:12: WRONG_TYPE"}},
    {R"("links": {"br0": "bridge"})", {"a.json:2:18: WRONG_TYPE"}},
    // what later versions of this program know
    {R"("networks": 5)", {"WRONG_TYPE"}},
    {R"("networks": {}, "ebtables": {})", {}},
    // ebtables
    {R"("ebtables": [])", {"a.json:2:13: WRONG_TYPE"}},
    {R"("ebtables": {"mangle": {}})", {"a.json:2:14: UNKNOWN_KEY: unknown key 'mangle'"}},
    {R"("ebtables": {"filter": {"chains": {"A": {}}, "shared": {"A": {}}}})",
     {"DUPLICATE_IDENTITY: 'A' is a chain of ours at a.json:2:41"}},
    {R"("ebtables": {"filter": {"chains": {"A": {"rules": ["-s 10.0.0.1 -m mark"]}}}})",
     {"a.json:2:52: INVALID_IPTABLES_RULE: ebtables has no '-m'"}},
    {R"("links": {"wg0": {"kind": "wireguard"}})", {"a.json:2:18: MISSING_KEY"}},
    {R"("links": {"d0": {"kind": "bond"}})", {"NOT_AVAILABLE"}},
    // numbers
    {R"("links": {"br0": {"kind": "bridge", "mtu": 1e400}})", {"a.json:2:44: OUT_OF_RANGE"}},
    {R"("links": {"br0": {"kind": "bridge", "mtu": 18446744073709551616}})", {"OUT_OF_RANGE"}},
    {R"("links": {"br0": {"kind": "bridge", "mtu": -1}})", {"OUT_OF_RANGE"}},
    {R"("links": {"br0": {"kind": "bridge", "mtu": 1500.5}})", {"WRONG_TYPE"}},
    {R"("links": {"br0": {"kind": "bridge", "mtu": "1500"}})", {"WRONG_TYPE"}},
    {R"("routes": [{"to": "10.0.0.0/8", "type": "blackhole", "metric": 4294967296}])",
     {"OUT_OF_RANGE"}},
    // names and addresses
    {R"("links": {"sixteen-bytes-xx": {"kind": "bridge"}})", {"INVALID_INTERFACE_NAME"}},
    {R"("links": {"br:0": {"kind": "bridge"}})", {"INVALID_INTERFACE_NAME"}},
    {R"("links": {"": {"kind": "bridge"}})", {"INVALID_INTERFACE_NAME"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1"]}})",
     {"a.json:2:51: INVALID_ADDRESS"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.01/24"]}})", {"INVALID_ADDRESS"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["localhost/24"]}})", {"INVALID_ADDRESS"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/33"]}})", {"INVALID_ADDRESS"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/024"]}})", {"INVALID_ADDRESS"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": "10.0.0.1/24"}})", {"WRONG_TYPE"}},
    {R"("routes": [{"to": "10.0.0.1/8", "type": "blackhole"}])", {"a.json:2:19: INVALID_ROUTE"}},
    {R"("rules": [{"priority": 1, "from": "10.0.0.1/8", "table": 5}])", {"INVALID_RULE"}},
    {R"("routes": [{"to": "10.0.0.0/8", "type": "blackhole", "table": "nosuchtable"}])",
     {"INVALID_ROUTE"}},
    // missing and unknown
    {R"("links": {"br0": {}})", {"a.json:2:18: MISSING_KEY: 'kind' is missing (at /links/br0)"}},
    {R"("links": {"v0": {"kind": "veth"}})", {"MISSING_KEY: 'veth'"}},
    {R"("rules": [{"table": 5}])", {"MISSING_KEY: 'priority'"}},
    {R"("links": {"br0": {"kind": "bridge", "stp": true}})", {"UNKNOWN_KEY"}},
    {R"("routes": [{"to": "10.0.0.0/8", "type": "blackhole", "mtru": 5}])",
     {
         "a.json:2:54: UNKNOWN_KEY",
     }},
    // sysctls and chains
    {R"("sysctls": {"kernel.hostname": "x"})", {"INVALID_SYSCTL"}},
    {R"("iptables": {"filters": {}})",
     {"a.json:2:14: UNKNOWN_KEY: unknown key 'filters'; did you mean 'filter'?"}},
    {R"("iptables": {"filter": {"chain": {}}})", {"UNKNOWN_KEY"}},
    {R"("iptables": {"filter": {"chains": {"INPUT": {}}}})", {"INVALID_CHAIN_NAME"}},
    {R"("iptables": {"filter": {"chains": {"-A": {}}}})", {"INVALID_CHAIN_NAME"}},
    {R"("iptables": {"filter": {"chains": {"A": {"rules": ["-t nat -j ACCEPT"]}}}})",
     {"INVALID_IPTABLES_RULE"}},
    {R"("iptables": {"filter": {"chains": {"A": {"rules": ["-j A\n-F"]}}}})",
     {"INVALID_IPTABLES_RULE"}},
    {R"("iptables": {"filter": {"chains": {"A": {"rules": [5]}}}})", {"WRONG_TYPE"}},
};

INSTANTIATE_TEST_SUITE_P(Strictness, Faults, ::testing::ValuesIn(strictness));

const Fault identities[] = {
    {R"("routes": [{"to": "10.0.0.0/8", "type": "blackhole"},
{"to": "10.0.0.0/8", "type": "unreachable"}])",
     {"a.json:3:1: DUPLICATE_IDENTITY: 'route inet main 10.0.0.0/8' is already given at "
      "a.json:2:12 (at /routes/1)"}},
    {R"("routes": [{"to": "fd00::/8", "type": "blackhole"},
{"to": "fd00::/8", "type": "blackhole", "metric": 1024}])",
     {"a.json:3:1: DUPLICATE_IDENTITY"}},
    {R"("routes": [{"to": "fd00::/8", "type": "blackhole", "metric": 1024},
{"to": "fd00::/8", "type": "blackhole", "metric": 1025},
{"to": "fd00::/8", "type": "blackhole", "table": 5}])",
     {}},
    {R"("rules": [{"priority": 5, "from": "10.0.0.0/8", "table": "main"},
{"priority": 5, "from": "10.0.0.0/8", "table": 254}])",
     {"a.json:3:1: DUPLICATE_IDENTITY"}},
    {R"("rules": [{"priority": 5, "from": "10.0.0.0/8", "table": 1}, {"priority": 5, "from": "11.0.0.0/8", "table": 1}])",
     {}},
    {R"("sysctls": {"net.ipv4.ip_forward": 1,
"net/ipv4/ip_forward": 1})",
     {"a.json:3:24: DUPLICATE_IDENTITY: 'sysctl net.ipv4.ip_forward' is already given at "
      "a.json:2:36 (at /sysctls/net~1ipv4~1ip_forward)"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/24",
"10.0.0.1/24"]}})",
     {"a.json:3:1: DUPLICATE_IDENTITY"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/24", "10.0.0.1/25"]}})", {}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["fd00::1/64",
"fd00::1/80"]}})",
     {"a.json:3:1: DUPLICATE_IDENTITY"}},
    {R"("links": {"br0": {"kind": "bridge", "addresses": ["10.0.0.1/24"]}, "br1": {"kind": "bridge", "addresses": ["10.0.0.1/24"]}})",
     {}},
    {R"("iptables": {"filter": {"chains": {"A": {}},
"shared": {"A": {"insert": ["-j ACCEPT"]}}}})",
     {"a.json:3:17: DUPLICATE_IDENTITY: 'A' is a chain of ours at a.json:2:41"}},
    {R"("iptables": {"filter": {"chains": {"A": {}}}, "mangle": {"shared": {"A": {"insert": ["-j ACCEPT"]}}}},
"ip6tables": {"filter": {"chains": {"A": {}}}})",
     {}},
};

INSTANTIATE_TEST_SUITE_P(Identity, Faults, ::testing::ValuesIn(identities));

const Fault contradictions[] = {
    {R"("links": {"t0": {"kind": "tap", "master": "t1"},
"t1": {"kind": "tap"}})",
     {"a.json:2:43: INVALID_LINK: 't1' is a tap in this spec, which cannot be a master (at "
      "/links/t0/master)"}},
    {R"("links": {"b0": {"kind": "bridge", "master": "b1"}, "b1": {"kind": "bridge"}})",
     {"a.json:2:46: INVALID_LINK: a bridge cannot be a port of a bridge"}},
    {R"("links": {"t0": {"kind": "tap", "master": "t0"}})", {"INVALID_LINK"}},
    {R"("links": {"t0": {"kind": "tap", "master": "of-the-host"}})", {}},
    {R"("links": {"t0": {"kind": "tap", "master": "eth0"}, "eth0": {"kind": "physical"}})", {}},
    {R"("links": {"t0": {"kind": "tap", "port": {"isolated": true}}})",
     {"a.json:2:41: INVALID_LINK"}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1"}}, "v1": {"kind": "veth", "veth": {"peer": "v0"}}})",
     {}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1"}},
"v1": {"kind": "veth", "veth": {"peer": "v2"}}})",
     {"a.json:2:51: INVALID_LINK: the peer of 'v1' is 'v2', not 'v0' (at /links/v0/veth/peer)"}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1"}}, "v1": {"kind": "tap"}})",
     {"a.json:2:51: INVALID_LINK: 'v1' is a tap in this spec, not a veth"}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v9"}},
"v1": {"kind": "veth", "veth": {"peer": "v9"}}})",
     {"a.json:3:41: INVALID_LINK: 'v9' is already the peer of another at a.json:2:51"}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v0"}}})", {"INVALID_LINK"}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v0", "peerNetns": "guest"}},
"v1": {"kind": "tap"}, "v2": {"kind": "veth", "veth": {"peer": "v1", "peerNetns": "guest"}}})",
     {}},
    {R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1", "peerNetns": "guest"}},
"v1": {"kind": "veth", "veth": {"peer": "v0"}}})",
     {"a.json:3:41: INVALID_LINK: the other end of 'v0' is in another network namespace"}},
    {R"("links": {"x0": {"kind": "vxlan", "vxlan": {"id": 7}},
"x1": {"kind": "vxlan", "vxlan": {"id": 7, "port": 8472}}, "x2": {"kind": "vxlan", "vxlan": {"id": 7, "port": 1}}})",
     {"a.json:3:41: DUPLICATE_IDENTITY: a VXLAN of this id and port is already given at "
      "a.json:2:51"}},
    {R"("links": {"b0": {"kind": "bridge", "mtu": 1279, "addresses": ["10.0.0.1/24", "fd00::1/64"]}})",
     {"a.json:2:78: INVALID_ADDRESS: IPv6 needs an mtu of at least 1280, and that of 'b0' is "
      "1279"}},
    {R"("links": {"b0": {"kind": "bridge", "mtu": 1280, "addresses": ["fd00::1/64"]}})", {}},
};

INSTANTIATE_TEST_SUITE_P(Contradiction, Faults, ::testing::ValuesIn(contradictions));

TEST(LoadSpec, KnowsTheTablesOfTheHostByName) {
  testing::MemoryFiles files({
      {"a.json", R"({"version": 1, "routes": [
          {"to": "10.0.0.0/8", "type": "blackhole", "table": "uplink"},
          {"to": "10.0.0.0/8", "type": "blackhole", "table": "vpn"}]})"},
      {"/etc/iproute2/rt_tables", "255 local\n100 uplink\n"},
      {"/etc/iproute2/rt_tables.d/vpn.conf", "200 vpn\n"},
      {"/etc/iproute2/rt_tables.d/vpn.conf.dpkg-old", "201 vpn\n"},
      {"/usr/share/iproute2/rt_tables", "101 uplink\n"},
  });
  const auto loaded = load_with(files, {"a.json"});
  EXPECT_THAT(loaded.errors, IsEmpty());
  ASSERT_THAT(loaded.spec.state.of<Route>(), SizeIs(2));
  EXPECT_EQ(loaded.spec.state.of<Route>()[0].table, TableId{100});
  EXPECT_EQ(loaded.spec.state.of<Route>()[1].table, TableId{200});
}

TEST(LoadSpec, LoadsTwentyThousandRoutesInShortTime) {
  std::string text = "{\"version\": 1, \"routes\": [";
  for (int i = 0; i < 20'000; ++i) {
    text += "{\"to\": \"10." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
            ".0/24\", \"via\": \"192.0.2.1\", \"dev\": \"eth0\", \"metric\": 10},\n";
  }
  const auto start = std::chrono::steady_clock::now();
  const auto loaded = load_files({{"a.json", text + "]}"}});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.spec.state.of<Route>(), SizeIs(20'000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(LoadSpec, ListsOnlySoManyOfAHostileSpecsErrors) {
  std::string keys;
  for (int i = 0; i < 50'000; ++i) keys += "\"linksX" + std::to_string(i) + "\": 1,\n";
  const auto loaded = load_members(keys);
  ASSERT_THAT(loaded.errors, SizeIs(max_diagnostics + 1));
  EXPECT_EQ(loaded.errors.back(), "MORE_FAULTS: up to 49000 more errors are not listed");
}

TEST(LoadSpec, LoadsFourThousandFilesInShortTime) {
  std::map<std::string, std::string> texts;
  for (int i = 0; i < 4'000; ++i) {
    const auto name = "vm" + std::to_string(i);
    texts["d/" + name + ".json"] =
        "{\"version\": 1, \"links\": {\"" + name + "\": {\"kind\": \"tap\"}}}";
  }
  testing::MemoryFiles files(texts);
  const auto start = std::chrono::steady_clock::now();
  const auto loaded = load_with(files, {"d"});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.spec.state.of<Link>(), SizeIs(4'000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace plumbline::spec
