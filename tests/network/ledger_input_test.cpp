// Rows of the ledger on what a spec may say: what was taken and went wrong later is an error here.

#include "tests/network/ledger.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::test {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A key like any other, that is nobody's.
constexpr const char* private_key = "QGvwZ1bM0mSx0yMJ3KXzvTqKk0wIBcVxPZ0Jm4m3F2A=";
constexpr const char* public_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

std::vector<std::string> errors_of(const std::string& members) {
  return spec::load_members(R"("networks": {"br0": {)" + members + "}}").errors;
}

std::vector<std::string> errors_of_name(const std::string& name) {
  return spec::load_members("\"networks\": {\"" + name + "\": {}}").errors;
}

/// Of a rule of the egress policy with that member.
std::vector<std::string> errors_of_rule(const std::string& member) {
  return errors_of(R"("firewall": {"egress": {"rules": [{"action": "allow", )" + member + "}]}}");
}

/// What is said of a tunnel's text, errors and warnings.
Diagnostics said_of_tunnel(const std::string& interface, const std::string& peer = "") {
  testing::MemoryFiles files(
      {{"a.json",
        R"({"version": 1, "networks": {"br0": {"wireguard": {"configFile": "wg.conf"}}}})"},
       {"./wg.conf", "[Interface]\nPrivateKey = " + std::string(private_key) + "\n" + interface +
                         "\n[Peer]\nPublicKey = " + public_key + "\n" + peer + "\n"}});
  Diagnostics diagnostics;
  static_cast<void>(spec::load({"a.json"}, files, diagnostics));
  return diagnostics;
}

constexpr const char* address = "Address = 10.99.0.2/32";

std::vector<std::string> words(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> all;
  for (const Diagnostic& diagnostic : diagnostics) all.push_back(format(diagnostic));
  return all;
}

TEST(LedgerInput, W25_DnsAndTableAreIgnoredWithAWord) {
  const Diagnostics said = said_of_tunnel(std::string(address) + "\nDNS = 10.0.0.53\nTable = off");
  EXPECT_THAT(said.errors, IsEmpty());
  EXPECT_THAT(words(said.warnings), Contains(HasSubstr("DNS")));
  EXPECT_THAT(words(said.warnings), Contains(HasSubstr("Table")));
}

TEST(LedgerInput, W26_NoErrorShowsAKey) {
  const std::string part = std::string(private_key).substr(0, 12);
  for (const std::string& line :
       {std::string("Address = ") + private_key, std::string("ListenPort = ") + private_key,
        std::string("PrivateKey = ") + private_key + "x", std::string(private_key),
        std::string("PrivateKey ") + private_key, std::string("PostUp = echo ") + private_key,
        std::string(private_key) + " = 1"}) {
    const Diagnostics said = said_of_tunnel(line);
    EXPECT_FALSE(said.ok()) << line;
    EXPECT_THAT(words(said.errors), Each(Not(HasSubstr(part))));
    EXPECT_THAT(words(said.warnings), Each(Not(HasSubstr(part))));
  }
}

TEST(LedgerInput, W43_SubnetsThatNobodyCanHaveAreErrors) {
  for (const char* const subnet : {"127.0.0.0/24", "127.5.0.0/16", "0.0.0.0/8", "224.0.0.0/24",
                                   "239.1.0.0/16", "240.0.0.0/8", "10.0.0.0/31", "10.0.0.0/0"}) {
    EXPECT_THAT(errors_of("\"subnet\": \"" + std::string(subnet) + "\""),
                Contains(HasSubstr("INVALID_SUBNET")))
        << subnet;
  }
  EXPECT_THAT(spec::load_members(R"("networks": {"br0": {"subnet": "10.0.0.0/16"},
                                                 "br1": {"subnet": "10.0.7.0/24"}})")
                  .errors,
              ElementsAre(HasSubstr("INVALID_SUBNET")));
}

TEST(LedgerInput, W45_AnAddressIsFourDecimalOctets) {
  for (const char* const text : {"010.0.0.1", "10.0.0.1.", "10.0.1", "0x0a.0.0.1", "10.0.0.256"}) {
    EXPECT_THAT(errors_of_rule("\"to\": \"" + std::string(text) + "\""),
                ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")))
        << text;
  }
  EXPECT_THAT(errors_of(R"("subnet": "010.0.0.0/24")"), ElementsAre(HasSubstr("INVALID_SUBNET")));
}

TEST(LedgerInput, W46_ALengthIsAPlainDecimalNumber) {
  for (const char* const text : {"10.0.0.0/0x18", "10.0.0.0/1e1", "10.0.0.0/ 24", "10.8.0.2/",
                                 "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/33"}) {
    EXPECT_THAT(errors_of_rule("\"to\": \"" + std::string(text) + "\""),
                ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")))
        << text;
    EXPECT_THAT(errors_of("\"subnet\": \"" + std::string(text) + "\""),
                ElementsAre(HasSubstr("INVALID_SUBNET")))
        << text;
    EXPECT_THAT(words(said_of_tunnel("Address = " + std::string(text)).errors),
                Contains(HasSubstr("INVALID_WIREGUARD_CONFIG")))
        << text;
  }
}

TEST(LedgerInput, W47_NamesThatMeanSomethingElseAreErrors) {
  for (const char* const name : {"br0:1", "all", "default", "br 0", "br/0", ".", "..", "",
                                 "a-name-of-more-than-15", "br%d"}) {
    EXPECT_THAT(errors_of_name(name), Contains(HasSubstr("INVALID_INTERFACE_NAME"))) << name;
  }
  EXPECT_THAT(errors_of(R"("uplink": "all")"), ElementsAre(HasSubstr("INVALID_INTERFACE_NAME")));
  EXPECT_THAT(errors_of(R"("vms": {"a": {"interfaces": {"eth0": {"tap": "default"}}}})"),
              ElementsAre(HasSubstr("INVALID_INTERFACE_NAME")));
  EXPECT_THAT(errors_of(R"("wireguard": {"existingInterface": "wg0:1"})"),
              Contains(HasSubstr("INVALID_INTERFACE_NAME")));
}

TEST(LedgerInput, W48_ACommentIsNeitherCutNorOfSeveralLines) {
  const auto comment = [](const std::string& text) {
    return errors_of_rule("\"comment\": \"" + text + "\"");
  };
  std::string longest;
  for (int i = 0; i < 100; ++i) longest += "\u00fc";  // 200 bytes
  EXPECT_THAT(comment(longest), IsEmpty());
  EXPECT_THAT(comment(longest + "x"), ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")));
  for (const char* const control : {"\\n", "\\r", "\\u001b", "\\u007f", "\\t"}) {
    EXPECT_THAT(comment("a" + std::string(control) + "b"),
                ElementsAre(HasSubstr("INVALID_FIREWALL_CONFIG")))
        << control;
  }
}

TEST(LedgerInput, W49_BothFamiliesAreTakenAndEverythingIsChecked) {
  const std::string dual = std::string(address) + "\nAddress = fd00:99::2/64";
  EXPECT_TRUE(
      said_of_tunnel(dual, "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = [2001:db8::1]:51820").ok());
  for (const char* const peer :
       {"AllowedIPs = 10.0.0.0/33", "AllowedIPs = ", "AllowedIPs = anywhere", "Endpoint = 1.2.3.4",
        "Endpoint = 1.2.3.4:0", "Endpoint = 1.2.3.4:65536", "Endpoint = vpn.example.com:51820",
        "PresharedKey = short", "PersistentKeepalive = 65536", "PersistentKeepalive = -1"}) {
    EXPECT_THAT(words(said_of_tunnel(address, peer).errors),
                ElementsAre(HasSubstr("INVALID_WIREGUARD_CONFIG")))
        << peer;
  }
  for (const char* const interface :
       {"ListenPort = 65536", "MTU = 575", "MTU = 9001", "FwMark = -1", "PrivateKey = AAAA",
        "SaveConfig = true", "PreUp = true"}) {
    EXPECT_THAT(words(said_of_tunnel(std::string(address) + "\n" + interface).errors),
                Contains(HasSubstr("INVALID_WIREGUARD_CONFIG")))
        << interface;
  }
  EXPECT_FALSE(said_of_tunnel("").ok()) << "an address is needed";
  EXPECT_FALSE(said_of_tunnel("Address = fd00:99::2/64").ok()) << "of IPv4";
}

// ---- what only the host tells -------------------------------------------------------------------

TEST_F(Ledger, W23_ATunnelIsNoUplinkAndNoBridge) {
  ip("link add foreign type bridge");
  const auto refused = [this](const std::string& name, const std::string& more = "") {
    EXPECT_THAT(
        [&] {
          refusal_of(network_spec(R"("wireguard": {"existingInterface": ")" + name + "\"}" + more));
        },
        ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("INVALID_WIREGUARD_CONFIG")))
        << name;
  };
  refused("up0");
  refused("up0", R"(, "uplink": "up0")");
  refused("foreign");
  refused("br0");
  refused("tapa");
}

TEST_F(Ledger, W24_RulesAreFoundExactly) {
  tunnel();
  // Found by a part of their text these would be taken for ours.
  for (const char* const other :
       {"from 10.30.0.0/24 lookup 5182 priority 31820", "iif br0 lookup 518200 priority 31821",
        "iif br01 lookup 51820 priority 31822", "from all iif br0 lookup 1820 priority 31823"}) {
    ip("rule add " + std::string(other));
  }
  const std::string before = ip("-N rule show");
  apply(through_tunnel);
  EXPECT_NE(ip("-N rule show"), before);
  EXPECT_EQ(run({"ip", "route", "show", "table", "5182"}).output.find("default"),
            std::string::npos);
  remove_all();
  EXPECT_EQ(ip("-N rule show"), before);
}

TEST_F(Ledger, W43_ASubnetThatTheHostHasIsAnError) {
  local();
  for (const char* const subnet : {"10.50.0.0/24", "10.50.0.128/25", "10.0.0.0/8"}) {
    EXPECT_THAT(
        [&] {
          refusal_of(spec_of_networks({"\"br0\": {\"subnet\": \"" + std::string(subnet) + "\"}"}));
        },
        ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("INVALID_SUBNET")))
        << subnet;
  }
}

TEST_F(Ledger, W48_ALongCommentArrivesWhole) {
  std::string comment;
  for (int i = 0; i < 100; ++i) comment += "\u00fc";
  apply(R"("firewall": {"egress": {"rules": [{"action": "allow", "protocol": "icmp",
      "comment": ")" +
        comment + "\"}]}}");
  EXPECT_THAT(must_run({"iptables-nft-save"}), HasSubstr(comment));
}

}  // namespace
}  // namespace plumbline::test
