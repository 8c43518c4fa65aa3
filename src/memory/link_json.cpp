#include "link_json.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

namespace plumbline::memory {

namespace json = boost::json;

std::string text_of(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80U) text += static_cast<char>(0xc0U | (byte >> 6U));
    text += byte >= 0x80U ? static_cast<char>(0x80U | (byte & 0x3fU)) : c;
  }
  return text;
}

std::string bytes_of(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const bool pair = (lead == 0xc2U || lead == 0xc3U) && i + 1 < text.size();
    if (!pair) {
      bytes += text[i];
      continue;
    }
    bytes +=
        static_cast<char>(((lead & 0x03U) << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3fU));
  }
  return bytes;
}

json::value link_to_json(const Link& link) {
  Link plain = link;
  plain.alias.reset();
  plain.master.reset();
  json::value value = to_spec(plain);
  if (link.alias) value.as_object()["alias"] = text_of(*link.alias);
  if (link.master) value.as_object()["master"] = text_of(link.master->view());
  return value;
}

Link link_from_json(const wire::Entry& entry, const IfName& name) {
  constexpr std::int64_t most = UINT32_MAX;
  Link link;
  link.name = name;
  link.up = entry.boolean("up");
  link.mtu = entry.integer<std::uint32_t>("mtu", 0, most);
  link.mac = Mac::parse(entry.string("mac").value_or(""));
  link.tx_queue_length = entry.integer<std::uint32_t>("txQueueLength", 0, most);
  if (const auto master = entry.string("master")) {
    link.master = master->empty() ? in_no_bridge : IfName::parse(bytes_of(*master));
  }
  if (const auto alias = entry.string("alias")) link.alias = bytes_of(*alias);
  if (const auto port = entry.find("port")) {
    link.port.emplace();
    link.port->isolated = port->boolean("isolated");
    link.port->learning = port->boolean("learning");
    link.port->hairpin = port->boolean("hairpin");
    link.port->cost = port->integer<std::uint32_t>("cost", 0, most);
    link.port->priority = port->integer<std::uint16_t>("priority", 0, UINT16_MAX);
    link.port->group_fwd_mask = port->integer<std::uint16_t>("groupFwdMask", 0, UINT16_MAX);
  }
  return link;
}

}  // namespace plumbline::memory
