// SPDX-License-Identifier: Apache-2.0
/* Ends at once, successfully: what a launch costs when the payload costs nothing. */
int main(void)
{
	return 0;
}
