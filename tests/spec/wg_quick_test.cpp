// Text in the style of wg-quick: what is taken, what is refused, and that no key is ever repeated.

#include "src/spec/wg_quick.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

namespace plumbline::spec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const std::string peer_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const std::string interface = "[Interface]\nPrivateKey = " + secret + "\nAddress = 10.8.0.2/32\n";
const std::string peer = "[Peer]\nPublicKey = " + peer_key + "\n";

struct Read {
  std::optional<TunnelConfig> config;
  Diagnostics found;

  [[nodiscard]] std::string words() const {
    std::string all;
    for (const Diagnostic& each : found.errors) all += format(each) + "\n";
    for (const Diagnostic& each : found.warnings) all += format(each) + "\n";
    return all;
  }
};

Read read(const std::string& text, const std::string& path = "wg0.conf") {
  Read read;
  const Origin origin{std::make_shared<const std::string>("spec.json"), 7, 3};
  read.config = read_wg_quick({text, path, origin}, "/networks/br0/wireguard", read.found);
  EXPECT_EQ(read.config.has_value(), read.found.ok());
  for (const Diagnostic& error : read.found.errors) {
    EXPECT_EQ(error.code, Code::invalid_wireguard_config);
  }
  EXPECT_THAT(read.words(), Not(HasSubstr(secret.substr(0, 20))));
  return read;
}

std::vector<std::string> texts(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> texts;
  for (const Prefix& prefix : prefixes) texts.push_back(format(prefix));
  return texts;
}

TEST(WgQuick, TakesEverythingWithBothFamilies) {
  const Read all = read("\ufeff[INTERFACE]\r\nprivatekey=" + secret +
                        "\r\nAddress = 10.8.0.2/24, fd00::2/64\r\nListenPort = 51820 # why\r\n"
                        "FwMark = 0xca6c\r\nMTU = 1400\r\n; comment\r\n[peer]\r\nPUBLICKEY = " +
                        peer_key + "\r\nPresharedKey = " + secret +
                        "\r\nAllowedIPs = 10.1.2.3/8, , ::/0\r\nAllowedIPs = 192.0.2.1\r\n"
                        "Endpoint = [2001:db8::1]:51821\r\nPersistentKeepalive = 25\r\n");
  ASSERT_TRUE(all.config) << all.words();
  const TunnelConfig& config = *all.config;
  EXPECT_EQ(config.device.private_key, SecretKey::parse(secret)->clamped());
  EXPECT_EQ(config.device.listen_port, 51820);
  EXPECT_EQ(config.device.fwmark, 0xca6cU);
  EXPECT_EQ(config.mtu, 1400U);
  ASSERT_THAT(config.addresses, SizeIs(2));
  EXPECT_EQ(format(config.addresses[1]), "fd00::2/64");
  ASSERT_THAT(config.device.peers, SizeIs(1));
  const WireGuardPeer& only = config.device.peers.front();
  EXPECT_EQ(format(only.public_key), peer_key);
  EXPECT_EQ(only.preshared_key, SecretKey::parse(secret));
  EXPECT_THAT(texts(only.allowed_ips), ElementsAre("10.0.0.0/8", "192.0.2.1/32", "::/0"));
  EXPECT_EQ(format(*only.endpoint), "[2001:db8::1]:51821");
  EXPECT_EQ(only.keepalive, 25);
}

TEST(WgQuick, OffAndZeroAreNotGiven) {
  const Read off =
      read(interface + "FwMark = off\nListenPort = 0\n" + peer + "PersistentKeepalive = off\n");
  ASSERT_TRUE(off.config) << off.words();
  EXPECT_EQ(off.config->device.fwmark, 0U);
  EXPECT_EQ(off.config->device.listen_port, std::nullopt);
  EXPECT_EQ(off.config->device.peers.front().keepalive, 0);
  EXPECT_THAT(off.config->device.peers.front().allowed_ips, IsEmpty());
}

TEST(WgQuick, WarnsOfWhatOnlyWgQuickDoes) {
  const Read ignored = read(interface + "DNS = 1.1.1.1\nTable = off\n");
  ASSERT_TRUE(ignored.config);
  ASSERT_THAT(ignored.found.warnings, SizeIs(2));
  EXPECT_EQ(format(ignored.found.warnings[1].origin), "wg0.conf:5:1");
  EXPECT_EQ(ignored.found.warnings[0].code, Code::ignored_setting);
}

TEST(WgQuick, FaultsHaveTheirLineInTheFileOrTheText) {
  EXPECT_EQ(format(read(interface + "MTU = 9\n").found.errors.at(0).origin), "wg0.conf:4:1");
  const Read text = read(interface + "MTU = 9\n", "");
  EXPECT_EQ(format(text.found.errors.at(0)),
            "spec.json:7:3: INVALID_WIREGUARD_CONFIG: line 4: expected an MTU from 576 to 9000 "
            "(at /networks/br0/wireguard)");
}

/// A text that is shown without its key: the names of tests have it in them.
struct RefusedText {
  RefusedText(std::string with_key) : text(std::move(with_key)) {}

  std::string text;
};

void PrintTo(const RefusedText& refused, std::ostream* out) {
  std::string shown = refused.text;
  for (auto at = shown.find(secret); at != std::string::npos; at = shown.find(secret)) {
    shown.replace(at, secret.size(), "(secret)");
  }
  *out << ::testing::PrintToString(shown);
}

class RefusedWgQuick : public ::testing::TestWithParam<RefusedText> {};

TEST_P(RefusedWgQuick, IsAnError) { EXPECT_THAT(read(GetParam().text).found.errors, SizeIs(1)); }

INSTANTIATE_TEST_SUITE_P(
    Texts, RefusedWgQuick,
    ::testing::Values(
        "[Interface]\nAddress = 10.8.0.2/32\n", "[Interface]\nPrivateKey = " + secret + "\n",
        "[Interface]\nPrivateKey = " + secret + "\nAddress = fd00::1/64\n",
        interface + "PostUp = touch /x\n", interface + peer + "POSTUP = touch /x\n",
        interface + "SaveConfig = true\n", interface + "MTU = 575\n", interface + "MTU = 9001\n",
        interface + "MTU = 1420.0\n", interface + "MTU = 0x600\n",
        interface + "Address = fd00::1/64\nMTU = 1279\n", interface + "Address = 10.8.0.2\n",
        interface + "Address = 010.0.0.1\n", interface + "Address = host\n",
        interface + "ListenPort = 65536\n", interface + "ListenPort = -1\n",
        interface + "FwMark = x\n", interface + "Foo = 1\n", interface + secret + "\n",
        secret + "\n" + interface, interface + "PublicKey = " + peer_key + "\n",
        interface + peer + "PrivateKey = " + secret + "\n", interface + peer + "MTU = 1400\n",
        interface + peer + "Address = 10.0.0.1\n", interface + peer + "AllowedIPs = ,\n",
        interface + peer + "AllowedIPs = 10.0.0.0/33\n",
        interface + peer + "AllowedIPs = ::/0x18\n",
        interface + peer + "Endpoint = vpn.example.org:51820\n",
        interface + peer + "Endpoint = 192.0.2.1\n", interface + peer + "Endpoint = 192.0.2.1:0\n",
        interface + peer + "PresharedKey = short\n", interface + peer + peer,
        interface + peer + "PersistentKeepalive = 1e1\n", interface + "[Peer]\n",
        interface + "[Peer]\nPublicKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        interface + "[ Peer ]\n", interface + "[Peer\n", "[Foo]\n" + interface));

// ---- what the reference implementation was seen to do -------------------------------------------

namespace json = boost::json;

std::optional<json::value> recorded(const char* name) {
  const auto path = std::filesystem::path(PLUMBLINE_SOURCE_DIR) / "../shared/reference" / name;
  std::ifstream file(path);
  if (!file) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return json::parse(text);
}

/// What the reference took without a look and spec-format.md refuses: keys that are none, a port
/// that is none, numbers as only JavaScript reads them, an address given twice.
bool is_checked_here(const std::string& text) {
  for (const char* loose :
       {"PRIVATEKEY=a\n", "1420.0", "banana", "second", "a=b==", "Key = b\n", "PublicKey=x\n"}) {
    if (text.find(loose) != std::string::npos) return true;
  }
  return text.find("[Interface]\n") != text.rfind("[Interface]\n");
}

/// What the reference refused and is taken here: IPv6.
bool is_taken_here(const std::string& text) {
  return text.find("fd00") != std::string::npos || text.find("::/0") != std::string::npos;
}

TEST(WgQuick, TakesAndRefusesWhatTheReferenceDoes) {
  const auto vectors = recorded("vectors.json");
  if (!vectors) GTEST_SKIP() << "the recorded reference is not beside the sources";
  for (const json::value& vector : vectors->at("parseWireGuardConfig").as_array()) {
    const std::string text(vector.at("config").as_string());
    SCOPED_TRACE(text);
    const Read here = read(text);
    const auto* out = vector.as_object().if_contains("out");
    if (out == nullptr || is_checked_here(text)) {
      EXPECT_FALSE(here.config && !is_taken_here(text)) << here.words();
      continue;
    }
    ASSERT_TRUE(here.config) << here.words();
    std::vector<std::string> addresses;
    for (const auto& address : here.config->addresses) addresses.push_back(format(address));
    EXPECT_EQ(addresses, json::value_to<std::vector<std::string>>(out->at("addresses")));
    const auto& mtu = out->at("mtu");
    EXPECT_EQ(here.config->mtu,
              mtu.is_null() ? std::nullopt : std::optional(mtu.to_number<std::uint32_t>()));
  }
}

TEST(WgQuick, RefusesWhatTheReferenceRefusesWithTheSameCode) {
  const auto errors = recorded("errors.json");
  if (!errors) GTEST_SKIP() << "the recorded reference is not beside the sources";
  std::size_t seen = 0;
  for (const json::value& recorded_error : errors->at("constructor").as_array()) {
    const auto* wireguard = recorded_error.at("options").as_object().if_contains("wireguard");
    const auto* options = wireguard != nullptr ? wireguard->if_object() : nullptr;
    const auto* config = options != nullptr ? options->if_contains("config") : nullptr;
    if (config == nullptr || !config->is_string()) continue;
    if (recorded_error.at("error").at("code") != "INVALID_WIREGUARD_CONFIG") continue;
    const std::string text(config->as_string());
    SCOPED_TRACE(text);
    ++seen;
    EXPECT_EQ(read(text).config.has_value(), is_taken_here(text));
  }
  EXPECT_GT(seen, 20U);
}

}  // namespace
}  // namespace plumbline::spec
