// What the reference implementation does, as it was recorded, and where it is knowingly not
// followed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "plumbline/spec/assignments.hpp"
#include "tests/spec/loaded.hpp"

namespace plumbline::spec {

namespace json = boost::json;
using ::testing::Contains;

namespace {

/// Nothing, and the test is skipped, where the recordings are not beside the sources.
std::optional<json::value> recording(const char* file) {
  std::ifstream stream(std::string(PLUMBLINE_SOURCE_DIR) + "/../shared/reference/" + file);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream) return std::nullopt;
  return json::parse(text.str());
}

#define RECORDING(variable, file)        \
  const auto variable = recording(file); \
  if (!variable) GTEST_SKIP() << "the reference's recordings are not here: ../shared/reference"

std::string text_of(const json::value& value) { return std::string(value.as_string()); }

bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= 63 && std::ranges::all_of(id, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  });
}

/// The codes of what load() finds wrong with one network.
std::vector<std::string> codes(const std::string& bridge, const json::value& entry) {
  const json::object networks{{bridge, entry}};
  const Loaded loaded = load_members("\"networks\": " + json::serialize(networks));
  std::vector<std::string> codes;
  for (const Diagnostic& error : loaded.diagnostics) codes.emplace_back(format(error.code));
  return codes;
}

std::vector<std::string> codes(const json::value& entry) { return codes("svbr0", entry); }

json::value with_rule(json::object rule) {
  return {{"firewall",
           {{"host", json::object()}, {"egress", {{"rules", json::array{std::move(rule)}}}}}}};
}

}  // namespace

TEST(Reference, HasTheSameMacs) {
  RECORDING(vectors, "vectors.json");
  int compared = 0;
  for (const json::value& vector : vectors->at("generateMac").as_array()) {
    const std::string vm = text_of(vector.at("vmId"));
    const std::string interface = text_of(vector.at("ifaceId"));
    if (!is_utf8(vm) || std::ranges::any_of(vm + interface, [](char c) { return c < 0; })) {
      EXPECT_FALSE(is_id(vm) && is_id(interface)) << "counted in UTF-16 there, and no id here";
      continue;
    }
    ++compared;
    EXPECT_EQ(format(guest_mac(vm, interface)), text_of(vector.at("out"))) << vm << interface;
  }
  EXPECT_GE(compared, 35);
}

TEST(Reference, HasTheSameTapNames) {
  RECORDING(vectors, "vectors.json");
  int compared = 0;
  for (const json::value& vector : vectors->at("generateTapName").as_array()) {
    const std::string vm = text_of(vector.at("vmId"));
    const std::string interface = text_of(vector.at("ifaceId"));
    if (std::ranges::any_of(vm + interface, [](char c) { return c < 0; })) continue;
    if (text_of(vector.at("out")).find(':') != std::string::npos) {
      EXPECT_FALSE(is_id(vm) && is_id(interface)) << "the kernel takes no such name";
      continue;
    }
    ++compared;
    EXPECT_EQ(format(tap_name(vm, interface)), text_of(vector.at("out")));
  }
  EXPECT_GE(compared, 35);
}

TEST(Reference, HasTheSameNamesOfChainsButForThePrefix) {
  RECORDING(vectors, "vectors.json");
  for (const json::value& vector : vectors->at("firewallChainName").as_array()) {
    const auto subnet = InterfaceAddress::parse(text_of(vector.at("subnet")));
    ASSERT_TRUE(subnet);
    const std::string name =
        chain_name(*IfName::parse(text_of(vector.at("bridgeName"))), subnet->network());
    EXPECT_EQ("SVMEG" + name.substr(name.find('-')), text_of(vector.at("out")));
  }
}

TEST(Reference, AllocatesTheSameAddresses) {
  RECORDING(vectors, "vectors.json");
  for (const json::value& vector : vectors->at("allocateIp").as_array()) {
    const Prefix subnet = InterfaceAddress::parse(text_of(vector.at("subnet")))->network();
    EXPECT_EQ(format(gateway_of(subnet)), text_of(vector.at("gateway")));
    EXPECT_EQ(format(netmask_of(subnet)), text_of(vector.at("mask")));
    EXPECT_EQ(format(subnet.address()), text_of(vector.at("network")));
    // Assigned one by one only where that is few; the last is what the capacity says.
    const auto capacity = vector.at("capacity").to_number<std::uint64_t>();
    Spec spec;
    Network& network = spec.networks.emplace_back();
    network.bridge = *IfName::parse("svbr0");
    network.subnet = subnet;
    const std::uint64_t count = std::min<std::uint64_t>(capacity + 1, 300);
    for (std::uint64_t i = 0; i < count; ++i) {
      GuestInterface interface;
      interface.id = "eth0";
      network.vms.push_back({"vm-" + std::to_string(i), {interface}, {}});
    }
    Diagnostics diagnostics;
    const auto interfaces = assign(spec, Facts(), diagnostics).at(0).interfaces;
    const json::array& first = vector.at("firstFour").as_array();
    for (std::size_t i = 0; i < first.size(); ++i) {
      const auto* const out = first[i].as_object().if_contains("out");
      EXPECT_EQ(i < interfaces.size(), out != nullptr);
      if (out == nullptr) continue;
      EXPECT_EQ(format(interfaces.at(i).ip), text_of(*out));
    }
    if (count == capacity + 1) {
      EXPECT_EQ(interfaces.size(), capacity);
      EXPECT_EQ(format(interfaces.back().ip), text_of(vector.at("last").at("out")));
      ASSERT_EQ(diagnostics.errors.size(), 1U);
      EXPECT_EQ(format(diagnostics.errors[0].code),
                text_of(vector.at("afterLast").at("error").at("code")));
    } else {
      EXPECT_TRUE(diagnostics.ok());
    }
  }
}

TEST(Reference, TellsGuestsKernelsTheSame) {
  RECORDING(vectors, "vectors.json");
  for (const json::value& vector : vectors->at("bootArgs").as_array()) {
    AssignedNetwork network;
    network.network.subnet = InterfaceAddress::parse(text_of(vector.at("subnet")))->network();
    network.gateway = gateway_of(network.network.subnet);
    AssignedInterface interface;
    interface.ip = *IpAddress::parse(text_of(vector.at("tap").at("guestIp")));
    interface.guest_interface = "eth0";
    EXPECT_EQ(boot_args(assignment_of(network, interface)), text_of(vector.at("out")));
  }
}

// ---- decoding -----------------------------------------------------------------------------------

TEST(Reference, ReadsSubnetsAlikeButForNumbersThatAreNone) {
  RECORDING(vectors, "vectors.json");
  // W45 and W46: 010, /024, /1e1, "/ 24"; W43: ranges that no guest can use.
  const auto overruled = [](const std::string& subnet) {
    const auto inside = InterfaceAddress::parse(subnet);
    if (!inside) return true;
    const auto number = std::to_integer<unsigned>(inside->network().address().bytes()[0]);
    return number == 0 || number == 127 || number >= 224;
  };
  for (const json::value& vector : vectors->at("parseSubnet").as_array()) {
    const std::string subnet = text_of(vector.at("subnet"));
    const json::object entry{{"subnet", subnet}};
    const bool error = vector.as_object().contains("error");
    if (error || overruled(subnet)) {
      EXPECT_THAT(codes(entry), ::testing::ElementsAre("INVALID_SUBNET")) << subnet;
      continue;
    }
    const Loaded loaded =
        load_members("\"networks\": " + json::serialize(json::object{{"svbr0", entry}}));
    ASSERT_EQ(loaded.spec.networks.size(), 1U) << subnet;
    const Prefix& found = loaded.spec.networks[0].subnet;
    EXPECT_EQ(format(found.address()), text_of(vector.at("out").at("network")));
    EXPECT_EQ(format(netmask_of(found)), text_of(vector.at("out").at("mask")));
  }
}

TEST(Reference, ReadsPrefixesAlikeButForNumbersThatAreNone) {
  RECORDING(vectors, "vectors.json");
  for (const json::value& vector : vectors->at("ipv4Cidr").as_array()) {
    const std::string value = text_of(vector.at("value"));
    const bool strict = IpAddress::parse(value) || InterfaceAddress::parse(value);
    const auto found = codes(with_rule({{"action", "deny"}, {"to", value}}));
    if (vector.as_object().contains("error") || !strict) {
      EXPECT_THAT(found, ::testing::ElementsAre("INVALID_FIREWALL_CONFIG")) << value;
    } else {
      EXPECT_THAT(found, ::testing::IsEmpty()) << value;
    }
  }
}

TEST(Reference, TakesTheSameNamesOfInterfacesButForThoseThatMeanAll) {
  RECORDING(vectors, "vectors.json");
  for (const json::value& vector : vectors->at("interfaceName").as_array()) {
    const json::value& name = vector.at("name");
    if (name == "<undefined>") continue;
    const auto found = codes("testbr0", {{"wireguard", {{"existingInterface", name}}}});
    const bool meant_otherwise = name == "all" || name == "default";  // W47
    if (vector.as_object().contains("error") || meant_otherwise) {
      EXPECT_THAT(found, ::testing::ElementsAre("INVALID_INTERFACE_NAME")) << name;
    } else {
      EXPECT_THAT(found, ::testing::IsEmpty()) << name;
    }
    if (!name.is_string()) continue;
    EXPECT_EQ(codes(text_of(name), json::object()).empty(), found.empty()) << name;
  }
}

TEST(Reference, TakesTheSamePorts) {
  RECORDING(vectors, "vectors.json");
  for (const json::value& vector : vectors->at("normalizePorts").as_array()) {
    const json::value& ports = vector.at("ports");
    if (ports.is_string() && text_of(ports).starts_with('<')) continue;
    const auto found =
        codes(with_rule({{"action", "deny"}, {"protocol", "tcp"}, {"ports", ports}}));
    if (vector.as_object().contains("error")) {
      EXPECT_THAT(found, ::testing::ElementsAre("INVALID_FIREWALL_CONFIG")) << ports;
    } else {
      EXPECT_THAT(found, ::testing::IsEmpty()) << ports;
    }
  }
}

/// W49: IPv6 is refused there, and taken here.
bool is_about_ipv6(const json::value& refused) {
  const std::string message = text_of(refused.at("error").at("message"));
  return message.find("must be an IPv4 address or CIDR") != std::string::npos &&
         message.find("::") != std::string::npos && message.starts_with("WireGuard");
}

TEST(Reference, RefusesTheSameWithTheSameCodes) {
  RECORDING(errors, "errors.json");
  int compared = 0;
  for (const json::value& refused : errors->at("constructor").as_array()) {
    json::object options = refused.at("options").as_object();
    const std::string wanted = text_of(refused.at("error").at("code"));
    if (is_about_ipv6(refused)) continue;
    std::string bridge = "svbr0";
    if (const auto* const name = options.if_contains("bridgeName")) {
      bridge = text_of(*name);
      options.erase("bridgeName");
    }
    ++compared;
    EXPECT_THAT(codes(bridge, options), Contains(wanted)) << refused;
  }
  EXPECT_GE(compared, 85);
}

}  // namespace plumbline::spec
