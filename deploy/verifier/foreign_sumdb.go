// Asks golang.org/x/mod/sumdb (BSD-3-Clause) about receipts: the first implementation of signed notes.
//
// Reads a JSON list of cases from standard input, writes a JSON list of booleans. Built by
// bench/interop_receipts.py beside a copy of the packages that every Go toolchain carries; no network.
package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type receipt struct {
	LogKey     string   `json:"log_key"`
	Checkpoint string   `json:"checkpoint"`
	Entry      []byte   `json:"entry"`
	Index      int64    `json:"index"`
	Proof      [][]byte `json:"proof"`
}

func holds(one receipt) bool {
	verifier, err := note.NewVerifier(one.LogKey)
	if err != nil {
		return false
	}
	opened, err := note.Open([]byte(one.Checkpoint), note.VerifierList(verifier))
	if err != nil {
		return false
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return false
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return false
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return false
	}
	var proof tlog.RecordProof
	for _, sibling := range one.Proof {
		if len(sibling) != tlog.HashSize {
			return false
		}
		proof = append(proof, tlog.Hash(sibling))
	}
	return tlog.CheckRecord(proof, size, root, one.Index, tlog.RecordHash(one.Entry)) == nil
}

func main() {
	var receipts []receipt
	if err := json.NewDecoder(os.Stdin).Decode(&receipts); err != nil {
		panic(err)
	}
	verdicts := make([]bool, 0, len(receipts))
	for _, one := range receipts {
		verdicts = append(verdicts, holds(one))
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		panic(err)
	}
}
