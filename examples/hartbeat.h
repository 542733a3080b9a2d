/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the examples share: short type names, packet headers and a word for functions that must stay functions. */
#pragma once
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

/* A function of its own in the BPF code: called bpf2bpf instead of inlined. */
#define SUBPROG static __attribute__((noinline))
/*
 * Hides a value from the compiler, which knows no tail calls: it would take the value behind one for what the subprogram
 * always returns.
 */
#define OPAQUE(value) asm volatile("" : "+r"(value))

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

struct ethernet_header {
	u8 destination[6];
	u8 source[6];
	u16 type; /* big endian, as everything in packets */
};

struct ipv4_header {
	u8 version_length; /* 4 bits each; length in words of 4 bytes */
	u8 service;
	u16 total_length;
	u16 id;
	u16 fragment;
	u8 ttl;
	u8 protocol;
	u16 checksum;
	u32 source;
	u32 destination;
};

struct udp_header {
	u16 source_port;
	u16 destination_port;
	u16 length;
	u16 checksum;
};

char _license[] SEC("license") = "GPL";
